import type { MeshChange } from "@heddle/engine/snapshot/apply-changes.ts";
import type { DataplaneFacts } from "@heddle/engine/snapshot/snapshot.ts";
import { canonicalJson } from "@heddle/model/canonical-json.ts";
import type { KindRegistry } from "@heddle/model/kind.ts";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import type { MeshIdentitySpec, MeshTrustSpec } from "@heddle/model/kinds/mesh-identity.ts";
import type { MeshSpec } from "@heddle/model/kinds/mesh.ts";
import { formatKri, kriOf } from "@heddle/model/kri.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { Store, StoreEvent } from "@heddle/model/store.ts";
import type { TokenService } from "../identity/token-service.ts";
import { lastEnd } from "../identity/certificates.ts";
import { type Lookup, namesHosts, systemLookup, withAddresses } from "./resolve-address.ts";
import { MeshRuntime } from "./mesh-runtime.ts";
import type { Shared } from "./shared.ts";

/** What a mesh needs beside its runtime. */
export interface MeshesOptions {
  readonly store: Store;
  readonly kinds: KindRegistry;
  readonly shared: Shared;
  readonly tokens: TokenService;
  /** What is known of proxies from before a restart. */
  readonly factsOf: (mesh: string, dataplane: string) => DataplaneFacts | undefined;
  /** Whether proxies of the mesh hold certificates already (of one issuer): the authority must then never be made anew. */
  readonly hasIssued: (mesh: string, issuer?: string) => boolean;
  readonly onRemoved: (mesh: string) => void;
  /** Resolves host names of Dataplanes; as this machine does, when absent. */
  readonly lookup?: Lookup;
}

/** All meshes of this control plane, kept in step with the store. */
export class Meshes {
  readonly #options: MeshesOptions;
  readonly #runtimes = new Map<string, MeshRuntime>();
  #revision = 0;

  constructor(options: MeshesOptions) {
    this.#options = options;
    const { authorities, onFailure, onCaState = () => undefined } = options.shared;
    authorities.listen({
      onChange: (mesh) => this.#runtimes.get(mesh)?.trustChanged(),
      onState: onCaState,
      onFailure,
      lastEnd: (mesh) => lastEnd(this.#runtimes.get(mesh)?.certificates),
    });
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
      if (kind.volatile !== true && (kind.secret !== true || kind.type === "Secret"))
        resources.push(...(await store.list({ type: kind.type })).items);
    }
    await this.#take(
      resources.map((resource) => ({ change: "put", revision, resource })),
      (resource) => !this.#wasInUse(resource, resources),
    );
    this.#revision = revision;
  }

  // The last control plane may have ended before it made the authority of a MeshIdentity that had just been written.
  #wasInUse(resource: Resource, all: readonly Resource[]): boolean {
    const { hasIssued, shared } = this.#options;
    if (resource.type !== "MeshIdentity") return hasIssued(resource.name);
    const domain = shared.authorities.trustDomain(resource as Resource<MeshIdentitySpec>);
    const isTrusted = all.some(
      ({ type, mesh, spec }) =>
        type === "MeshTrust" && mesh === resource.mesh && (spec as MeshTrustSpec).trustDomain === domain,
    );
    return isTrusted || hasIssued(resource.mesh, formatKri(kriOf("mid", resource)));
  }

  /** Takes over what was committed together. */
  async take(events: readonly StoreEvent[]): Promise<void> {
    await this.#take(events, () => true);
    this.#revision = events.at(-1)?.revision ?? this.#revision;
    this.#options.shared.onProgress();
  }

  async #take(events: readonly StoreEvent[], mayCreate: (resource: Resource) => boolean): Promise<void> {
    const meshesFirst = events.toSorted(
      (a, b) => Number(b.resource.type === "Mesh") - Number(a.resource.type === "Mesh"),
    );
    const prepared: StoreEvent[] = [];
    for (const written of meshesFirst) {
      await this.#prepare(written, mayCreate);
      prepared.push(await this.#withAddress(written));
    }
    // From here on nothing waits: what proxies say in the meantime must not be overwritten with what was known before.
    const changes = new Map<string, MeshChange[]>();
    for (const event of prepared) {
      const mesh = event.resource.type === "Mesh" ? event.resource.name : event.resource.mesh;
      if (!this.#runtimes.has(mesh)) continue;
      const list = changes.get(mesh) ?? [];
      list.push(...this.#changesOf(event));
      changes.set(mesh, list);
    }
    const revision = events.at(-1)?.revision ?? this.#revision;
    for (const [mesh, list] of changes) this.#runtimes.get(mesh)?.apply(list, revision);
  }

  #changesOf({ change, resource }: StoreEvent): readonly MeshChange[] {
    const kind = this.#options.kinds.byType(resource.type);
    // Of Secrets only those of a mesh, which its services outside of it may name.
    if ((kind?.secret === true && kind.type !== "Secret") || kind?.volatile === true) return [];
    // A Dataplane may be new to the mesh while its proxy is long connected, also one deleted and written again at once.
    const facts =
      resource.type === "Dataplane" && change === "put"
        ? this.#options.factsOf(resource.mesh, resource.name)
        : undefined;
    const written: MeshChange = { what: change, resource };
    return facts === undefined ? [written] : [written, { what: "facts", dataplane: resource.name, facts }];
  }

  /** A Dataplane that names a host gets its address; one whose name cannot be resolved is not served yet. */
  async #withAddress(event: StoreEvent): Promise<StoreEvent> {
    if (event.change !== "put" || event.resource.type !== "Dataplane") return event;
    return { ...event, resource: (await this.#resolve(event.resource as Resource<DataplaneSpec>)) ?? event.resource };
  }

  /** The Dataplane with addresses instead of names; undefined while they cannot be resolved. */
  async #resolve(dataplane: Resource<DataplaneSpec>): Promise<Resource<DataplaneSpec> | undefined> {
    if (!namesHosts(dataplane)) return dataplane;
    try {
      return await withAddresses(dataplane, this.#options.lookup ?? systemLookup);
    } catch (cause) {
      const { mesh, name, spec } = dataplane;
      const host = spec.networking.address;
      this.#options.shared.onFailure(
        `Cannot resolve "${host}", the address of Dataplane "${name}" in mesh "${mesh}"`,
        cause,
      );
      return undefined;
    }
  }

  /** Resolves the names of Dataplanes again, and takes over where they point now. */
  async refreshAddresses(): Promise<void> {
    const { items } = await this.#options.store.list({ type: "Dataplane" });
    for (const dataplane of items as Resource<DataplaneSpec>[]) {
      if (!namesHosts(dataplane)) continue;
      const resource = await this.#resolve(dataplane);
      const runtime = this.#runtimes.get(dataplane.mesh);
      const known = runtime?.snapshot.dataplanes.get(dataplane.name)?.resource;
      // Written or deleted while its name was looked up: that change is the newer one. Without an answer the last one counts.
      if (resource === undefined || known?.version !== dataplane.version) continue;
      if (canonicalJson(known.spec) !== canonicalJson(resource.spec)) runtime?.apply([{ what: "put", resource }]);
    }
  }

  /** What must be there before a change may reach proxies: runtimes, authorities, keys. */
  async #prepare(event: StoreEvent, mayCreate: (resource: Resource) => boolean): Promise<void> {
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

  async #prepareOrThrow({ change, resource }: StoreEvent, mayCreate: (resource: Resource) => boolean): Promise<void> {
    const { shared, tokens } = this.#options;
    switch (resource.type) {
      case "Mesh":
        if (change === "delete") return this.#remove(resource.name);
        if (!this.#runtimes.has(resource.name))
          this.#runtimes.set(resource.name, new MeshRuntime(resource as Resource<MeshSpec>, shared));
        await tokens.ensureKey({ kind: "dataplane", mesh: resource.name });
        return await shared.authorities.prepareMesh(resource as Resource<MeshSpec>, mayCreate(resource));
      case "MeshIdentity":
        if (change === "put") await this.#prepareIdentity(resource as Resource<MeshIdentitySpec>, mayCreate(resource));
        return;
      case "Secret":
      case "GlobalSecret":
        tokens.forget(resource.mesh);
        await shared.authorities.secretChanged(resource.mesh, resource.name);
        return;
      default:
    }
  }

  async #prepareIdentity(identity: Resource<MeshIdentitySpec>, mayCreate: boolean): Promise<void> {
    const { store, shared } = this.#options;
    if (identity.spec.provider.type === "Spire") return;
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
    this.#runtimes.get(mesh)?.stop();
    this.#options.shared.authorities.removeMesh(mesh);
    this.#runtimes.delete(mesh);
    this.#options.onRemoved(mesh);
  }
}
