import { legacyKindOf, translate } from "@heddle/model/legacy/index.ts";
import type { LegacyKind, TranslatedPolicy } from "@heddle/model/legacy/legacy-kind.ts";
import type { Rank } from "@heddle/model/legacy/selector.ts";
import type { MeshExternalServiceSpec } from "@heddle/model/kinds/mesh-external-service.ts";
import type { MeshSpec } from "@heddle/model/kinds/mesh.ts";
import { displayName, LABEL, type Labels } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { PolicySpec } from "../match/precedence.ts";
import type { MeshSnapshot } from "./snapshot.ts";

/** A policy that stands for one of Kuma 2.x. */
export interface LegacyPolicy extends Resource<PolicySpec> {
  readonly legacy: LegacySource;
}

/** Where such a policy comes from, and what decides between it and others. */
export interface LegacySource extends Pick<LegacyKind["legacy"], "choice" | "staysBeside"> {
  /** What a user wrote. */
  readonly resource: Resource;
  readonly shortName: string;
  readonly rank: Rank;
  readonly itemRanks: readonly Rank[];
}

/** A service outside of the mesh that stands for one of Kuma 2.x. */
export interface LegacyService extends Resource<MeshExternalServiceSpec> {
  readonly legacy: Pick<LegacySource, "resource">;
  /** Under which callers, and policies of Kuma 2.x, name it. */
  readonly tags: Labels;
}

/** What a mesh knows of a resource of Kuma 2.x. */
export interface LegacyEntry {
  readonly resource: Resource;
  readonly policies: readonly LegacyPolicy[];
  readonly services: readonly LegacyService[];
}

/** Reads a resource of Kuma 2.x as the policies that it stands for; undefined for resources of other kinds. */
export function legacyEntry(resource: Resource, mesh: Resource<MeshSpec>): LegacyEntry | undefined {
  const kind = legacyKindOf(resource.type);
  const translation = translate(resource, mesh);
  if (kind === undefined || translation === undefined) return undefined;
  if (resource.type === "ExternalService") {
    const services = translation.policies.map(({ spec }) => legacyService(resource, spec as MeshExternalServiceSpec));
    return { resource, policies: [], services };
  }
  const policies = translation.policies.map((policy, index) => legacyPolicy(resource, kind, { policy, index }));
  return { resource, policies, services: [] };
}

/** Where a policy comes from that stands for one of Kuma 2.x. */
export function legacySource(policy: Resource): LegacySource | undefined {
  return (policy as Partial<LegacyPolicy>).legacy;
}

/** The tags of a service outside of the mesh that stands for one of Kuma 2.x; none of any other. */
export function serviceTags(service: Resource): Labels {
  return (service as Partial<LegacyService>).tags ?? {};
}

/** What a user wrote: the resource itself, or the one of Kuma 2.x that it stands for. */
export function asWritten(policy: Resource): Resource {
  return legacySource(policy)?.resource ?? policy;
}

/** The policy that a user wrote under a name, whether it is one of today or of Kuma 2.x. */
export function writtenPolicy(
  { policies, legacy, externalServices }: Pick<MeshSnapshot, "policies" | "legacy" | "externalServices">,
  { type, name }: Pick<Resource, "type" | "name">,
): Resource | undefined {
  if (type === "MeshExternalService") return externalServices.get(name);
  return legacy.get(`${type}/${name}`)?.resource ?? policies.get(type)?.find((each) => each.name === name);
}

/** Whether another mesh may make something else of the resource. */
export function readsMesh({ type }: Resource): boolean {
  return legacyKindOf(type)?.legacy.readsMesh === true;
}

function legacyService(resource: Resource, spec: MeshExternalServiceSpec): LegacyService {
  const { tags } = resource.spec as { readonly tags: Labels };
  return {
    ...resource,
    type: "MeshExternalService",
    // As below.
    name: `${resource.type}:${resource.name}`,
    labels: { ...resource.labels, [LABEL.displayName]: displayName(resource) },
    spec,
    legacy: { resource },
    tags,
  };
}

function legacyPolicy(
  resource: Resource,
  { shortName = "", legacy: { choice, staysBeside = false } }: LegacyKind,
  { policy, index }: { readonly policy: TranslatedPolicy; readonly index: number },
): LegacyPolicy {
  const { rank, itemRanks } = policy;
  return {
    ...resource,
    type: policy.type,
    // No user can take such a name, so that nothing of a user's is in its way.
    name: `${resource.type}:${resource.name}:${index}`,
    labels: { ...resource.labels, [LABEL.displayName]: policy.name },
    spec: policy.spec as PolicySpec,
    legacy: { resource, shortName, choice, staysBeside, rank, itemRanks },
  };
}
