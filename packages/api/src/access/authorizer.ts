import type { AccessAction } from "@heddle/model/kinds/access.ts";
import { type Need, refusalOf } from "../auth/authorize.ts";
import { isAnonymous, userText } from "../auth/users.ts";
import type { Route } from "../http/route.ts";
import type { User } from "../ports.ts";
import type { ApiSettings } from "../settings.ts";
import type { AccessState } from "./follow-access.ts";
import { type Decision, isAllowed, type Question, type Target } from "./is-allowed.ts";
import { grantsOf } from "./rights.ts";

/** Says who may do what, by the lists of the settings or by roles. */
export interface Authorizer {
  readonly type: ApiSettings["accessType"];
  /** Why somebody may not call a route, as far as that can be told before the body is read. */
  admit(user: User, route: Route, params: Readonly<Record<string, string>>): string | undefined;
  /** With all that is known. */
  decide(question: Question): Decision;
  /** The sentence for a refusal, or undefined when it is allowed. */
  refusal(question: Question): string | undefined;
}

/** Makes the authorizer that the settings ask for. */
export function authorizer(settings: ApiSettings, state: Pick<AccessState, "rights">): Authorizer {
  const type = settings.accessType;
  const decide = (question: Question): Decision =>
    type === "static" ? decideByLists(settings, question) : isAllowed(state.rights(), question);
  const refusal = (question: Question): string | undefined => {
    const decision = decide(question);
    if (decision.allowed) return undefined;
    return type === "static" ? decision.reason : refusalText(question, decision.reason);
  };
  const admitByRoles: Authorizer["admit"] = (user, route, params) => {
    if (route.needs === "open" || route.needs === "read") return undefined;
    const { actions, resource } = asked(route, params);
    if (resource === undefined) {
      const grants = grantsOf(state.rights(), user);
      const able = grants.some(({ rules }) =>
        rules.some(({ access }) => actions.some((each) => access.includes(each))),
      );
      if (able) return undefined;
    }
    const refusals = actions.map((action) => refusal({ user, action, resource: resource ?? {} }));
    return refusals.includes(undefined) ? undefined : refusals[0];
  };
  return {
    type,
    decide,
    refusal,
    admit: type === "static" ? (user, { needs }) => refusalOf(user, needs, settings) : admitByRoles,
  };
}

/** What a call is about. One of the actions is enough; without a resource that is found in the body. */
interface Asked {
  readonly actions: readonly AccessAction[];
  readonly resource: Target | undefined;
}

/** The actions of a route, and the resource that its path names. */
export function asked({ needs, method, type }: Route, { mesh, name }: Readonly<Record<string, string>>): Asked {
  const resource: Target = targetOf({ type, mesh, name });
  switch (needs) {
    case "write":
    case "adminResources":
      if (type === undefined) return { actions: ["CREATE", "UPDATE", "DELETE"], resource: undefined };
      // Who may replace a secret may see what it replaces.
      if (method === "GET") return { actions: ["UPDATE"], resource };
      return { actions: method === "DELETE" ? ["DELETE"] : ["CREATE", "UPDATE"], resource };
    case "generateDpToken":
      return { actions: ["GENERATE_DATAPLANE_TOKEN"], resource: undefined };
    case "generateZoneToken":
      return { actions: ["GENERATE_ZONE_TOKEN"], resource: undefined };
    case "generateUserToken":
      return { actions: ["GENERATE_USER_TOKEN"], resource: {} };
    case "viewConfigDump":
      return { actions: ["VIEW_CONFIG_DUMP"], resource };
    case "viewStats":
      return { actions: ["VIEW_STATS"], resource };
    case "viewClusters":
      return { actions: ["VIEW_CLUSTERS"], resource };
    case "rotateCa":
      return { actions: ["ROTATE_CA"], resource };
    case "rotateEncryptionKey":
      return { actions: ["ROTATE_ENCRYPTION_KEY"], resource: {} };
    case "controlPlaneMetadata":
      return { actions: ["VIEW_CONTROL_PLANE_METADATA"], resource: {} };
    case "open":
    case "read":
      return { actions: [], resource };
  }
}

/** A target of the parts that are known. A Mesh counts as being in itself, so that a rule for one mesh can grant it. */
export function targetOf(parts: {
  readonly type?: string | undefined;
  readonly mesh?: string | undefined;
  readonly name?: string | undefined;
}): Target {
  const mesh = parts.type === "Mesh" ? parts.name : parts.mesh;
  return {
    ...(parts.type === undefined ? {} : { type: parts.type }),
    ...(mesh === undefined || mesh === "" ? {} : { mesh }),
    ...(parts.name === undefined ? {} : { name: parts.name }),
  };
}

const NEEDS: Readonly<Record<AccessAction, Need>> = {
  CREATE: "write",
  UPDATE: "write",
  DELETE: "write",
  GENERATE_DATAPLANE_TOKEN: "generateDpToken",
  GENERATE_USER_TOKEN: "generateUserToken",
  GENERATE_ZONE_TOKEN: "generateZoneToken",
  GENERATE_ZONE_CP_TOKEN: "generateZoneToken",
  VIEW_CONFIG_DUMP: "viewConfigDump",
  VIEW_STATS: "viewStats",
  VIEW_CLUSTERS: "viewClusters",
  VIEW_CONTROL_PLANE_METADATA: "controlPlaneMetadata",
  ROTATE_CA: "rotateCa",
  ROTATE_ENCRYPTION_KEY: "rotateEncryptionKey",
};
const SECRETS = ["Secret", "GlobalSecret"];

function decideByLists(settings: ApiSettings, { user, action, resource }: Question): Decision {
  const secret = NEEDS[action] === "write" && SECRETS.includes(resource.type ?? "");
  const reason = refusalOf(user, secret ? "adminResources" : NEEDS[action], settings);
  return reason === undefined
    ? { allowed: true, by: { role: "access.static", binding: "the control plane's settings" } }
    : { allowed: false, reason };
}

function refusalText({ user, action, resource }: Question, reason: string): string {
  const { type, mesh, name } = resource;
  const what = [
    ...(type === undefined ? [] : [type]),
    ...(name === undefined ? [] : [`"${name}"`]),
    ...(mesh === undefined || type === "Mesh" ? [] : [`in mesh "${mesh}"`]),
  ];
  const hint = isAnonymous(user) ? "; send a user token (authorization: Bearer ...)" : "";
  return `user "${userText(user)}" cannot ${[action, ...what].join(" ")}: ${reason}${hint}`;
}
