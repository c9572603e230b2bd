import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import type { MeshSpec } from "@heddle/model/kinds/mesh.ts";
import { keyText, type Resource } from "@heddle/model/resource.ts";
import { applyChanges, type MeshChange } from "../snapshot/apply-changes.ts";
import { type DataplaneFacts, emptySnapshot, type MeshSnapshot } from "../snapshot/snapshot.ts";
import { isDataplane } from "./mesh-of.ts";

/** What is there in the end, however it came about. */
export class World {
  mesh: Resource<MeshSpec>;
  readonly resources = new Map<string, Resource>();
  readonly facts = new Map<string, DataplaneFacts>();

  constructor(mesh: Resource<MeshSpec>) {
    this.mesh = mesh;
  }

  apply(change: MeshChange): void {
    if (change.what === "facts") {
      if (this.#dataplane(change.dataplane) !== undefined) this.facts.set(change.dataplane, change.facts);
    } else if (change.what === "identity") {
      // What a proxy shows while it moves is no part of what is there in the end.
      return;
    } else if (change.resource.type === "Mesh") {
      this.mesh = change.resource as Resource<MeshSpec>;
    } else if (change.what === "put") {
      this.resources.set(keyText(change.resource), change.resource);
    } else {
      this.resources.delete(keyText(change.resource));
      if (isDataplane(change.resource)) this.facts.delete(change.resource.name);
    }
  }

  /** The changes that make this world from an empty mesh at one stroke. `order` sorts the resources. */
  changes(order: (resources: Resource[]) => Resource[] = (resources) => resources): readonly MeshChange[] {
    const put = order([...this.resources.values()]).map((resource): MeshChange => ({ what: "put", resource }));
    const facts = [...this.facts].map(([dataplane, each]): MeshChange => ({ what: "facts", dataplane, facts: each }));
    return [...put, ...facts];
  }

  /** The snapshot that follows from this world alone. */
  snapshot(order?: (resources: Resource[]) => Resource[]): MeshSnapshot {
    return applyChanges(emptySnapshot(this.mesh, "zone-1"), this.changes(order)).snapshot;
  }

  #dataplane(name: string): Resource<DataplaneSpec> | undefined {
    return this.resources.get(`Dataplane/default/${name}`) as Resource<DataplaneSpec> | undefined;
  }
}
