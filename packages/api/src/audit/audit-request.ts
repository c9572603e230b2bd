import { randomUUID } from "node:crypto";
import { asked } from "../access/authorizer.ts";
import type { AccessState } from "../access/follow-access.ts";
import type { Caller } from "../auth/caller.ts";
import type { Route } from "../http/route.ts";
import type { Ports, User } from "../ports.ts";
import { type AuditedAction, type AuditRecord, isAudited } from "./record.ts";

/** A call that is about to be answered. */
export interface Answered {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly caller: Caller;
  readonly user: User;
  readonly status: number;
  /** Headers of the answer. */
  readonly revision: string | undefined;
  readonly outcome: string | undefined;
  /** Why it is refused. */
  readonly reason: string | undefined;
}

export type Auditor = (answered: Answered) => Promise<void>;

/** Records calls as the AccessAudits in the store say; undefined when there is nowhere to record them. */
export function auditor(ports: Ports, state: Pick<AccessState, "audits">): Auditor | undefined {
  const { audit, store, info } = ports;
  if (audit === undefined) return undefined;
  return async (answered) => {
    const audits = state.audits();
    if (audits.length === 0) return;
    const actions = actionsOf(answered.route);
    const resource = resourceOf(answered);
    const question = { type: resource.type, mesh: resource.type === "Mesh" ? resource.name : resource.mesh };
    if (!actions.some((action) => isAudited(audits, { ...question, action }))) return;
    const action = await whichOf(actions, answered, async () => {
      const { type = "", mesh = "", name = "" } = resource;
      return (await store.get({ type, mesh, name })) !== undefined;
    });
    if (!isAudited(audits, { ...question, action })) return;
    await audit.record(recordOf(answered, { action, resource, instance: info.instanceId }));
  };
}

function actionsOf(route: Route): readonly AuditedAction[] {
  if (route.needs === "adminResources" && route.method === "GET") return ["VIEW_SECRET"];
  // A plan writes nothing.
  return route.type === undefined && route.needs === "write" ? [] : asked(route, {}).actions;
}

/** Whether a PUT creates is known from its answer, or from the store when it was refused. */
async function whichOf(
  actions: readonly AuditedAction[],
  { outcome }: Answered,
  exists: () => Promise<boolean>,
): Promise<AuditedAction> {
  const [first = "UPDATE"] = actions;
  if (actions.length < 2) return first;
  if (outcome !== undefined) return outcome === "created" ? "CREATE" : "UPDATE";
  return (await exists().catch(() => true)) ? "UPDATE" : "CREATE";
}

function resourceOf({ route, params, body }: Answered): AuditRecord["resource"] {
  const written = route.path.startsWith("/tokens/") ? namesIn(body) : params;
  return {
    ...(route.type === undefined ? {} : { type: route.type }),
    ...(written["mesh"] === undefined ? {} : { mesh: written["mesh"] }),
    ...(written["name"] === undefined ? {} : { name: written["name"] }),
  };
}

/** Whom a token is for. A body that was not understood may hold anything, so only texts of a sane length count. */
function namesIn(body: unknown): Readonly<Record<string, string | undefined>> {
  const { mesh, name, zone } = (body ?? {}) as Readonly<Record<string, unknown>>;
  const text = (value: unknown): string | undefined =>
    typeof value === "string" && value !== "" ? value.slice(0, 253) : undefined;
  return { mesh: text(mesh), name: text(name) ?? text(zone) };
}

interface About {
  readonly action: AuditedAction;
  readonly resource: AuditRecord["resource"];
  readonly instance: string;
}

function recordOf({ caller, user, status, revision, outcome, reason }: Answered, about: About): AuditRecord {
  const forwardedFor = caller.headers["x-forwarded-for"]?.join(", ").slice(0, 253);
  return {
    time: new Date().toISOString(),
    requestId: requestIdOf(caller),
    user: { name: user.name, groups: user.groups },
    action: about.action,
    resource: about.resource,
    outcome: outcomeOf(status, outcome),
    status,
    ...(reason === undefined ? {} : { reason }),
    ...(revision === undefined ? {} : { revision: Number(revision) }),
    ...(caller.address === undefined ? {} : { address: caller.address }),
    ...(forwardedFor === undefined ? {} : { forwardedFor }),
    instance: about.instance,
  };
}

function outcomeOf(status: number, outcome: string | undefined): AuditRecord["outcome"] {
  if (status === 401 || status === 403) return "refused";
  if (status >= 400) return "failed";
  switch (outcome) {
    case "created":
    case "updated":
    case "unchanged":
    case "deleted":
      return outcome;
    default:
      return "done";
  }
}

const REQUEST_ID = /^[\w.:-]{1,128}$/;

function requestIdOf({ headers }: Caller): string {
  const given = headers["x-request-id"]?.[0] ?? "";
  return REQUEST_ID.test(given) ? given : randomUUID();
}
