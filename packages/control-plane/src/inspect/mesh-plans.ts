import type { PlannedChanges } from "@heddle/api/ports.ts";
import type { MeshChange } from "@heddle/engine/snapshot/apply-changes.ts";
import { emptySnapshot, type MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import { canonicalJson } from "@heddle/model/canonical-json.ts";
import type { MeshIdentitySpec } from "@heddle/model/kinds/mesh-identity.ts";
import type { MeshSpec } from "@heddle/model/kinds/mesh.ts";
import type { NewResource, Resource, ResourceKey } from "@heddle/model/resource.ts";
import type { InspectOptions } from "./options.ts";
import { asStored } from "./planned-resource.ts";
import { storedIn } from "./stored-in.ts";

/** What a plan means for one mesh. */
export interface MeshPlan {
  readonly name: string;
  /** The mesh as it is; undefined when it does not exist. */
  readonly before: MeshSnapshot | undefined;
  /** What the changes are made to: the mesh as it is, or an empty one that is to be created. */
  readonly base: MeshSnapshot;
  readonly changes: readonly MeshChange[];
  readonly isDeleted: boolean;
}

/** Sorts planned writes by mesh, ordered by name, and turns them into changes. What changes nothing is left out. */
export function meshPlans(options: InspectOptions, { puts, deletes }: PlannedChanges): readonly MeshPlan[] {
  const isSeen = ({ type }: ResourceKey): boolean => {
    const kind = options.kinds.byType(type);
    return kind !== undefined && kind.secret !== true && kind.volatile !== true;
  };
  const names = new Set([...puts, ...deletes].filter(isSeen).map(meshOf));
  return [...names].toSorted().flatMap((name) => {
    const isHere = (key: ResourceKey): boolean => isSeen(key) && meshOf(key) === name;
    return planOf(options, name, puts.filter(isHere), deletes.filter(isHere)) ?? [];
  });
}

function planOf(
  options: InspectOptions,
  name: string,
  puts: readonly NewResource[],
  deletes: readonly ResourceKey[],
): MeshPlan | undefined {
  const before = options.meshes.get(name)?.snapshot;
  const isDeleted = deletes.some(({ type }) => type === "Mesh");
  const created = puts.find(({ type }) => type === "Mesh");
  const base =
    before ?? (created && emptySnapshot(asStored(created, undefined, new Date()) as Resource<MeshSpec>, options.zone));
  if (base === undefined || (isDeleted && before === undefined)) return undefined;
  const put = puts.flatMap((resource) => putOf(base, resource));
  const trusts = put.flatMap(({ resource }) => trustOf(options, base, resource, puts));
  const removed = deletes.flatMap((key): MeshChange[] => {
    const resource = storedIn(base, key);
    return resource === undefined || key.type === "Mesh" ? [] : [{ what: "delete", resource }];
  });
  return { name, before, base, changes: [...put, ...trusts, ...removed], isDeleted };
}

function putOf(base: MeshSnapshot, resource: NewResource): readonly MeshPut[] {
  const stored = storedIn(base, resource);
  const isSame = stored !== undefined && contentOf(stored) === contentOf(resource);
  return isSame ? [] : [{ what: "put", resource: asStored(resource, stored, new Date()) }];
}
type MeshPut = { readonly what: "put"; readonly resource: Resource };

/** An identity brings the trust in its own authority along, as it does when it is written. */
function trustOf(
  { trustDomain }: InspectOptions,
  base: MeshSnapshot,
  resource: Resource,
  puts: readonly NewResource[],
): readonly MeshPut[] {
  if (resource.type !== "MeshIdentity") return [];
  const identity = resource as Resource<MeshIdentitySpec>;
  const isWanted = identity.spec.provider.bundled?.meshTrustCreation !== "Disabled";
  const key = { type: "MeshTrust", mesh: identity.mesh, name: identity.name };
  const isThere = base.trusts.has(key.name) || puts.some(({ type, name }) => type === key.type && name === key.name);
  if (!isWanted || isThere) return [];
  const spec = { trustDomain: trustDomain(identity), caBundles: [] };
  return [{ what: "put", resource: asStored({ ...key, labels: identity.labels, spec }, undefined, new Date()) }];
}

function meshOf({ type, mesh, name }: ResourceKey): string {
  return type === "Mesh" ? name : mesh;
}

function contentOf({ spec, labels }: NewResource): string {
  return canonicalJson([spec, labels]);
}
