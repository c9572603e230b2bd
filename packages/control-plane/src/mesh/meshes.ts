import type { MeshChange } from "@heddle/engine/snapshot/apply-changes.ts";
import type { DataplaneFacts } from "@heddle/engine/snapshot/snapshot.ts";
import { canonicalJson } from "@heddle/model/canonical-json.ts";
import type { KindRegistry } from "@heddle/model/kind.ts";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import type { MeshIdentitySpec } from "@heddle/model/kinds/mesh-identity.ts";
import type { MeshSpec } from "@heddle/model/kinds/mesh.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { Store, StoreEvent } from "@heddle/model/store.ts";
import type { TokenService } from "../identity/token-service.ts";
import { namesHosts, systemLookup, withAddresses } from "./resolve-address.ts";
import { MeshRuntime, type Shared } from "./mesh-runtime.ts";

/** What a mesh needs beside its runtime. */
export interface MeshesOptions {
  readonly store: Store;
  readonly kinds: KindRegistry;
  readonly shared: Shared;
  readonly tokens: TokenService;
  /** What is known of proxies from before a restart. */
  readonly factsOf: (mesh: string, dataplane: string) => DataplaneFacts | undefined;
  /** Whether proxies of the mesh hold certificates already: its authority must then never be made anew. */
  readonly hasIssued: (mesh: string) => boolean;
  readonly onRemoved: (mesh: string) => void;
}

/** All meshes of this control plane, kept in step with the store. */
export class Meshes {
  readonly #options: MeshesOptions;
  readonly #runtimes = new Map<string, MeshRuntime>();
  #revision = 0;

  constructor(options: MeshesOptions) {
    this.#options = options;
  }

  get(mesh: string): MeshRuntime | undefined {
    return this.#runtimes.get(mesh);
  }

  all(): IterableIterator<MeshRuntime> {
    return this.#runtimes.values();
  }

  /** The newest change of the store that has been taken over. */
  get revision(): number {
    return this.#revision;
  }

  /** Reads everything there is. */
  async load(revision: number): Promise<void> {
    const { store, kinds } = this.#options;
    const resources: Resource[] = [];
    for (const kind of kinds.all) {
      if (kind.volatile !== true && kind.secret !== true)
        resources.push(...(await store.list({ type: kind.type })).items);
    }
    await this.#take(
      resources.map((resource) => ({ change: "put", revision, resource })),
      (mesh) => !this.#options.hasIssued(mesh),
    );
    this.#revision = revision;
  }

  /** Takes over what was committed together. */
  async take(events: readonly StoreEvent[]): Promise<void> {
    await this.#take(events, () => true);
    this.#revision = events.at(-1)?.revision ?? this.#revision;
    this.#options.shared.onProgress();
  }

  async #take(events: readonly StoreEvent[], mayCreate: (mesh: string) => boolean): Promise<void> {
    const changes = new Map<string, MeshChange[]>();
    const meshesFirst = events.toSorted(
      (a, b) => Number(b.resource.type === "Mesh") - Number(a.resource.type === "Mesh"),
    );
    for (const written of meshesFirst) {
      await this.#prepare(written, mayCreate);
      const event = await this.#withAddress(written);
      const mesh = event.resource.type === "Mesh" ? event.resource.name : event.resource.mesh;
      if (this.#runtimes.has(mesh)) changes.set(mesh, [...(changes.get(mesh) ?? []), ...this.#changesOf(event)]);
    }
    const revision = events.at(-1)?.revision ?? this.#revision;
    for (const [mesh, list] of changes) this.#runtimes.get(mesh)?.apply(list, revision);
  }

  #changesOf({ change, resource }: StoreEvent): readonly MeshChange[] {
    const kind = this.#options.kinds.byType(resource.type);
    if (kind?.secret === true || kind?.volatile === true) return [];
    const facts =
      resource.type === "Dataplane" && change === "put" && !this.#knows(resource)
        ? this.#options.factsOf(resource.mesh, resource.name)
        : undefined;
    const written: MeshChange = { what: change, resource };
    return facts === undefined ? [written] : [written, { what: "facts", dataplane: resource.name, facts }];
  }

  /** A Dataplane that names a host gets its address; one whose name cannot be resolved is not served yet. */
  async #withAddress(event: StoreEvent): Promise<StoreEvent> {
    if (event.change !== "put" || event.resource.type !== "Dataplane") return event;
    const dataplane = event.resource as Resource<DataplaneSpec>;
    if (!namesHosts(dataplane)) return event;
    try {
      return { ...event, resource: await withAddresses(dataplane, systemLookup) };
    } catch (cause) {
      const { mesh, name, spec } = dataplane;
      const host = spec.networking.address;
      this.#options.shared.onFailure(
        `Cannot resolve "${host}", the address of Dataplane "${name}" in mesh "${mesh}"`,
        cause,
      );
      return event;
    }
  }

  /** Resolves the names of Dataplanes again, and takes over where they point now. */
  async refreshAddresses(): Promise<void> {
    const { items } = await this.#options.store.list({ type: "Dataplane" });
    const named = items.filter((each) => namesHosts(each as Resource<DataplaneSpec>));
    for (const resource of named) {
      const event = await this.#withAddress({ change: "put", revision: this.#revision, resource });
      const known = this.#runtimes.get(resource.mesh)?.snapshot.dataplanes.get(resource.name)?.resource;
      const isMoved = canonicalJson(known?.spec) !== canonicalJson(event.resource.spec);
      if (isMoved) this.#runtimes.get(resource.mesh)?.apply([{ what: "put", resource: event.resource }]);
    }
  }

  #knows(dataplane: Resource): boolean {
    return this.#runtimes.get(dataplane.mesh)?.snapshot.dataplanes.has(dataplane.name) ?? false;
  }

  /** What must be there before a change may reach proxies: runtimes, authorities, keys. */
  async #prepare(event: StoreEvent, mayCreate: (mesh: string) => boolean): Promise<void> {
    const { shared } = this.#options;
    try {
      await this.#prepareOrThrow(event, mayCreate);
    } catch (cause) {
      // The mesh goes on with what it had; the operator is told what to repair.
      shared.onFailure(
        cause instanceof Error ? cause.message : `Cannot prepare ${event.resource.type} "${event.resource.name}"`,
        cause,
      );
    }
  }

  async #prepareOrThrow({ change, resource }: StoreEvent, mayCreate: (mesh: string) => boolean): Promise<void> {
    const { shared, tokens } = this.#options;
    switch (resource.type) {
      case "Mesh":
        if (change === "delete") return this.#remove(resource.name);
        if (!this.#runtimes.has(resource.name))
          this.#runtimes.set(resource.name, new MeshRuntime(resource as Resource<MeshSpec>, shared));
        await tokens.ensureKey({ kind: "dataplane", mesh: resource.name });
        return await shared.authorities.prepareMesh(resource as Resource<MeshSpec>, mayCreate(resource.name));
      case "MeshIdentity":
        if (change === "put")
          await this.#prepareIdentity(resource as Resource<MeshIdentitySpec>, mayCreate(resource.mesh));
        return;
      case "Secret":
      case "GlobalSecret":
        tokens.forget(resource.mesh);
        return;
      default:
    }
  }

  async #prepareIdentity(identity: Resource<MeshIdentitySpec>, mayCreate: boolean): Promise<void> {
    const { store, shared } = this.#options;
    await shared.authorities.prepareIdentity(identity, mayCreate);
    const authority = shared.authorities.ofIdentity(identity);
    const key = { type: "MeshTrust", mesh: identity.mesh, name: identity.name };
    const wanted = identity.spec.provider.bundled?.meshTrustCreation !== "Disabled";
    if (authority === undefined || !wanted || (await store.get(key)) !== undefined) return;
    const caBundles = [{ type: "Pem", pem: { value: authority.caPem } }];
    const spec = { trustDomain: shared.authorities.trustDomain(identity), caBundles };
    await store.create({ ...key, labels: identity.labels, spec });
  }

  #remove(mesh: string): void {
    this.#runtimes.delete(mesh);
    this.#options.onRemoved(mesh);
  }
}
