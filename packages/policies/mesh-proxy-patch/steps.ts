import type { DescMessage } from "@bufbuild/protobuf";
import { typeUrlOf } from "@heddle/envoy/any.ts";
import { ClusterSchema } from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "@heddle/envoy/gen/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@heddle/envoy/gen/envoy/config/route/v3/route_pb.js";
import type { Origin, ResourceFacts } from "@heddle/engine/plan/plan.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { matchesLabels } from "@heddle/model/labels.ts";
import { type Change, changeOf, type Match } from "./change.ts";
import type { Modification } from "./schema.ts";

/** A modification and where it stands, so that whoever meets its consequences can be told. */
export interface Step {
  readonly change: Change;
  readonly policy: Origin | undefined;
  /** Its position in that policy. */
  readonly index: number;
}

/** Notes where modifications stand, before those of several policies become one list. */
export function noteSource(modification: Modification, policy: Origin, index: number): void {
  const change = changeOf(modification);
  if (change !== undefined) steps.set(modification, { change, policy, index });
}

// A modification is one object for as long as its policy stays as it is, and stands in one place.
const steps = new WeakMap<Modification, Step>();

/** What to do, in order. */
export function stepsOf(modifications: readonly Modification[]): readonly Step[] {
  return modifications.flatMap((modification) => steps.get(modification) ?? []);
}

/** What a modification is called where origins are told: the policy's KRI with the modification as its section. */
export function kriOfStep({ policy, index }: Step): string {
  return policy === undefined || policy.kri === "" ? "" : `${policy.kri}modification-${index}`;
}

/** Resources that only a policy like this one brought. */
export const OWN: ResourceFacts = { origin: "mesh-proxy-patch", aliases: [], tags: {} };

/** Whether a modification may concern a resource, as far as that can be told without looking into it. */
export function reaches({ match, ...change }: Change, resource: EncodedResource, facts: ResourceFacts): boolean {
  if (change.operation === "Add" && change.subject !== "virtualHost") return false;
  if (match.origin !== undefined && match.origin !== facts.origin) return false;
  const isNamed = (name: string | undefined): boolean =>
    name === undefined || name === resource.name || facts.aliases.includes(name);
  const isTagged = (tags: Match["tags"]): boolean => matchesLabels(tags ?? {}, facts.tags);
  switch (change.subject) {
    case "cluster":
      return resource.typeUrl === CLUSTER && isNamed(match.name);
    case "listener":
      return resource.typeUrl === LISTENER && isNamed(match.name) && isTagged(match.tags);
    case "networkFilter":
    case "httpFilter":
      return resource.typeUrl === LISTENER && isNamed(match.listenerName) && isTagged(match.listenerTags);
    case "virtualHost":
      // Our listeners get their routes on their own; one that a patch brought may have them inside.
      if (resource.typeUrl === LISTENER) return facts === OWN && match.routeConfigurationName === undefined;
      return resource.typeUrl === ROUTES && isNamed(match.routeConfigurationName);
  }
}

const CLUSTER = typeUrlOf(ClusterSchema);
const LISTENER = typeUrlOf(ListenerSchema);
const ROUTES = typeUrlOf(RouteConfigurationSchema);

/** The message that a step adds as a resource of its own; none when it changes others. */
export function addedBy({ change }: Step): DescMessage | undefined {
  if (change.operation !== "Add") return undefined;
  return { cluster: ClusterSchema, listener: ListenerSchema }[change.subject as string];
}
