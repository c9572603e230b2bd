import { type Place, withOwnedLabels } from "@heddle/api/resources/owned-labels.ts";
import { meshService, type MeshServiceSpec } from "@heddle/model/kinds/mesh-service.ts";
import type { NewResource } from "@heddle/model/resource.ts";
import { type Store, StoreError } from "@heddle/model/store.ts";
import type { Meshes } from "../mesh/meshes.ts";
import { type Action, nextRetirement, reconcileMeshServices } from "./reconcile.ts";

export interface GeneratorOptions {
  readonly store: Store;
  readonly meshes: Meshes;
  readonly place: Place;
  readonly graceMillis: number;
  readonly now: () => Date;
  readonly onFailure: (message: string, cause: unknown) => void;
}

/** A look at a large mesh takes milliseconds, and a deployment brings a hundred changes a second: at most a tenth goes here. */
const REST_FACTOR = 9;

/** Keeps MeshServices in step with Dataplanes: soon after a change of a Dataplane, and when a grace ends. */
export class MeshServiceGenerator {
  readonly #options: GeneratorOptions;
  readonly #waiting = new Set<string>();
  #running = false;
  #timer: NodeJS.Timeout | undefined;
  #pause: NodeJS.Timeout | undefined;

  constructor(options: GeneratorOptions) {
    this.#options = options;
  }

  /** A Dataplane of the mesh changed. The first call looks at once; those that come while it rests afterwards are one look. */
  notice(mesh: string): void {
    this.#waiting.add(mesh);
    if (!this.#running) setImmediate(() => void this.#run());
    this.#running = true;
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#pause);
  }

  async #run(): Promise<void> {
    const started = performance.now();
    for (const mesh of this.#waiting) {
      this.#waiting.delete(mesh);
      try {
        await this.#reconcile(mesh);
      } catch (cause) {
        this.#options.onFailure(`Cannot generate the MeshServices of mesh "${mesh}"`, cause);
      }
    }
    const rest = REST_FACTOR * (performance.now() - started);
    this.#pause = setTimeout(() => {
      this.#running = false;
      for (const mesh of this.#waiting) this.notice(mesh);
    }, rest).unref();
  }

  async #reconcile(mesh: string): Promise<void> {
    const { meshes, graceMillis, now } = this.#options;
    const snapshot = meshes.get(mesh)?.snapshot;
    // Kuma 2.x: a mesh may say that it wants none.
    if (snapshot === undefined || snapshot.mesh.spec.meshServices?.mode === "Disabled") return;
    const time = { now: now(), graceMillis };
    const dataplanes = [...snapshot.dataplanes.values()].map(({ resource }) => resource);
    const actions = reconcileMeshServices(dataplanes, snapshot.services, time);
    await Promise.all(actions.map((action) => this.#perform(mesh, action)));
    const next = nextRetirement(snapshot.services.values(), time);
    clearTimeout(this.#timer);
    if (next !== undefined) this.#timer = setTimeout(() => this.notice(mesh), next + 1).unref();
  }

  async #perform(mesh: string, action: Action): Promise<void> {
    const { store, place } = this.#options;
    const key = { type: "MeshService", mesh, name: action.name };
    try {
      const stored = await store.get(key);
      if (action.do === "delete") {
        if (stored !== undefined) await store.delete(key, stored.version);
        return;
      }
      // Its addresses stay its own.
      const status = stored === undefined ? {} : { status: stored.status };
      const wanted: NewResource<MeshServiceSpec> = { ...key, labels: action.labels, spec: action.spec, ...status };
      const labelled = withOwnedLabels(meshService, wanted, place);
      if (!labelled.ok) return;
      await (stored === undefined ? store.create(labelled.value) : store.update(labelled.value, stored.version));
    } catch (error) {
      // Somebody wrote it meanwhile: that change brings the next look.
      if (!(error instanceof StoreError) || !["conflict", "already_exists", "not_found"].includes(error.code))
        throw error;
    }
  }
}
