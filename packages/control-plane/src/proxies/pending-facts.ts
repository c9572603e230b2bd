import type { MeshChange } from "@heddle/engine/snapshot/apply-changes.ts";
import type { DataplaneFacts } from "@heddle/engine/snapshot/snapshot.ts";

/**
 * Facts of proxies that change in one turn of the event loop reach their mesh together: when a thousand proxies return,
 * the mesh is not put together anew for each of them.
 */
export class PendingFacts {
  readonly #apply: (mesh: string, changes: readonly MeshChange[]) => void;
  readonly #meshes = new Map<string, Map<string, DataplaneFacts>>();

  constructor(apply: (mesh: string, changes: readonly MeshChange[]) => void) {
    this.#apply = apply;
  }

  /** Notes facts; what was noted of the same proxy before is forgotten. */
  add(mesh: string, dataplane: string, facts: DataplaneFacts): void {
    if (this.#meshes.size === 0) setImmediate(() => this.#flush());
    const pending = this.#meshes.get(mesh) ?? new Map<string, DataplaneFacts>();
    this.#meshes.set(mesh, pending.set(dataplane, facts));
  }

  #flush(): void {
    const meshes = [...this.#meshes];
    this.#meshes.clear();
    for (const [mesh, pending] of meshes) {
      this.#apply(
        mesh,
        [...pending].map(([dataplane, facts]) => ({ what: "facts", dataplane, facts })),
      );
    }
  }
}
