/** Names one resource: `mesh` is empty for resources that belong to no mesh (Mesh, Zone, GlobalSecret). */
export interface ResourceKey {
  readonly type: string;
  readonly mesh: string;
  readonly name: string;
}

/** What a user, or a component of the control plane, wants to be stored. */
export interface NewResource<Spec = unknown, Status = unknown> extends ResourceKey {
  readonly labels: Readonly<Record<string, string>>;
  /** As written: a later reader gets back the very fields that were sent. */
  readonly spec: Spec;
  readonly status?: Status | undefined;
}

/** A stored resource. Times are RFC 3339 in UTC. */
export interface Resource<Spec = unknown, Status = unknown> extends NewResource<Spec, Status> {
  readonly creationTime: string;
  readonly modificationTime: string;
  /**
   * Grows with every write of this resource and never comes back, not even when the resource is deleted and made again;
   * the token of optimistic concurrency.
   */
  readonly version: number;
}

/** One string for a key, fit for maps and messages: "MeshTimeout/default/slow". */
export function keyText(key: ResourceKey): string {
  return `${key.type}/${key.mesh}/${key.name}`;
}
