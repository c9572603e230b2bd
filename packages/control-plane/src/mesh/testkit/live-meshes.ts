import { setImmediate as turn } from "node:timers/promises";
import { Memo } from "@heddle/engine/memo.ts";
import type { DataplaneFacts } from "@heddle/engine/snapshot/snapshot.ts";
import { CORE_KINDS } from "@heddle/model/kinds/index.ts";
import { kindRegistry } from "@heddle/model/kind.ts";
import { parseResource } from "@heddle/model/parse-resource.ts";
import type { NewResource } from "@heddle/model/resource.ts";
import { type Store, StoreError } from "@heddle/model/store.ts";
import { generateSigningKey } from "@heddle/identity/signing-key.ts";
import { signingKeyName } from "@heddle/identity/token-secrets.ts";
import { policies } from "@heddle/policies/index.ts";
import { openMemoryStore } from "@heddle/store/memory.ts";
import type { ResourceSet } from "@heddle/xds/resource.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import { Authorities } from "../../identity/authorities.ts";
import { Certificates } from "../../identity/certificates.ts";
import { TokenService } from "../../identity/token-service.ts";
import { Presence } from "../../proxies/presence.ts";
import { Secrets } from "../../secrets.ts";
import { Meshes } from "../meshes.ts";
import type { Lookup } from "../resolve-address.ts";
import type { Proxy } from "../proxy.ts";

const kinds = kindRegistry([...CORE_KINDS, ...policies.map(({ kind }) => kind)]);
const MESH = "default";
/** Made once: it takes longer than everything else that a run does. */
const SIGNING_KEY = await generateSigningKey();

/** What a proxy was told last: the names of its certificates, and the versions of all else. */
export type Told = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Meshes that follow a store, with proxies that take everything over at once. No network. */
export class LiveMeshes implements AsyncDisposable {
  readonly store: Store;
  readonly meshes: Meshes;
  readonly presence: Presence;
  readonly failures: string[] = [];
  /** Finds the address of every host; may be replaced by one that takes its time. */
  lookup: Lookup = async () => await Promise.resolve("127.0.0.9");
  readonly #streams = new Map<string, { readonly proxy: Proxy; set: ResourceSet }>();
  readonly #ending = new AbortController();
  #following: Promise<void> = Promise.resolve();

  private constructor(store: Store, before?: LiveMeshes) {
    this.store = store;
    this.presence = new Presence({
      graceMillis: 60_000,
      apply: (mesh, dataplane, facts) => this.meshes.get(mesh)?.apply([{ what: "facts", dataplane, facts }]),
      specOf: () => undefined,
      onGone: () => undefined,
    });
    const secrets = new Secrets(store);
    const now = (): Date => new Date();
    const authorities = new Authorities(secrets, "zone-1", now);
    const { presence } = before ?? this;
    this.meshes = new Meshes({
      store,
      kinds,
      tokens: new TokenService(secrets, now),
      factsOf: (mesh, dataplane) => presence.factsOf(mesh, dataplane),
      hasIssued: () => false,
      onRemoved: () => undefined,
      lookup: (host) => this.lookup(host),
      shared: {
        zone: "zone-1",
        policies,
        memo: new Memo(),
        sliceMillis: 1,
        authorities,
        certificates: new Certificates(authorities, now),
        onHeld: () => undefined,
        onProgress: () => undefined,
        onFailure: (message) => this.failures.push(message),
      },
    });
  }

  /** A new store with these resources, and meshes that follow it. */
  static async create(resources: readonly object[]): Promise<LiveMeshes> {
    const live = new LiveMeshes(openMemoryStore());
    await new Secrets(live.store).ensure(
      MESH,
      signingKeyName({ kind: "dataplane", mesh: MESH }, 1),
      async () => SIGNING_KEY,
    );
    live.#following = live.#follow();
    for (const each of resources) await live.put(each);
    return live;
  }

  /** What a control plane that starts now makes of the same store and the same proxies. */
  async restarted(): Promise<LiveMeshes> {
    const fresh = new LiveMeshes(this.store, this);
    await fresh.meshes.load(await this.store.revision());
    for (const name of this.#streams.keys()) fresh.#open(name);
    await fresh.settled();
    return fresh;
  }

  /** Creates or replaces, as users write. */
  async put(document: object): Promise<void> {
    const resource = read(document);
    await again(async () => {
      const stored = await this.store.get(resource);
      await (stored === undefined ? this.store.create(resource) : this.store.update(resource, stored.version));
    });
  }

  /** Writes all in one batch, which is what a turn of the event loop asks for; what is there is deleted first in it. */
  async putTogether(documents: readonly object[]): Promise<void> {
    const writes = documents
      .map(read)
      .flatMap((each) => [
        this.store.delete(each).catch(ignoreStoreErrors),
        this.store.create(each).catch(ignoreStoreErrors),
      ]);
    await Promise.all(writes);
  }

  async remove(type: string, name: string): Promise<void> {
    await this.store.delete({ type, mesh: MESH, name }).catch(ignoreStoreErrors);
  }

  /** A stream begins; one that the proxy had before ends a moment later, as sockets do. */
  connect(name: string): void {
    const old = this.#streams.get(name);
    this.#open(name);
    this.presence.connected(MESH, name);
    if (old !== undefined) void turn().then(() => this.#close(name, old.proxy));
  }

  disconnect(name: string): void {
    const stream = this.#streams.get(name);
    if (stream === undefined) return;
    this.#streams.delete(name);
    this.#close(name, stream.proxy);
  }

  /** Proxies with a stream, by name. */
  connected(): readonly string[] {
    return [...this.#streams.keys()];
  }

  /** What the mesh knows of a proxy beside its Dataplane; undefined when it has none. */
  facts(name: string): DataplaneFacts | undefined {
    return this.meshes.get(MESH)?.snapshot.dataplanes.get(name)?.facts;
  }

  told(name: string): Told {
    const set = this.#streams.get(name)?.set ?? new Map();
    return Object.fromEntries(
      [...set].map(([type, resources]) => {
        const isOwn = type === TYPE_URL.secret;
        return [type, Object.fromEntries([...resources].map(([key, { version }]) => [key, isOwn ? "" : version]))];
      }),
    );
  }

  /** Waits until everything that was written has been turned into configuration. Throws after five seconds. */
  async settled(): Promise<void> {
    const end = performance.now() + 5_000;
    const isDone = async (): Promise<boolean> =>
      this.meshes.revision >= (await this.store.revision()) && [...this.meshes.all()].every((each) => each.isSettled);
    while (!(await isDone())) {
      if (performance.now() > end) throw new Error("Cannot go on: the meshes are not settled after 5 s");
      await turn();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#following;
    this.presence.stop();
  }

  #open(name: string): void {
    const proxy = this.meshes.get(MESH)?.connect(name);
    if (proxy === undefined) throw new Error(`Cannot connect "${name}": there is no mesh "${MESH}"; write it first`);
    const stream: { readonly proxy: Proxy; set: ResourceSet } = { proxy, set: new Map() };
    this.#streams.set(name, stream);
    proxy.attach((set) => {
      stream.set = set;
      void turn().then(() => proxy.synced(set));
    });
  }

  #close(name: string, proxy: Proxy): void {
    this.meshes.get(MESH)?.disconnect(proxy);
    this.presence.disconnected(MESH, name);
  }

  async #follow(): Promise<void> {
    for await (const events of this.store.watch({ after: 0, signal: this.#ending.signal }))
      await this.meshes.take(events);
  }
}

function read(document: object): NewResource {
  const parsed = parseResource(kinds, document);
  if (!parsed.ok) throw new Error(`Cannot read the resource: ${JSON.stringify(parsed.violations)}`);
  return parsed.value;
}

/** Somebody else may have written meanwhile: then it is read and written again. */
async function again(write: () => Promise<void>): Promise<void> {
  for (;;) {
    const done = await write().then(() => true, ignoreStoreErrors);
    if (done === true) return;
  }
}

function ignoreStoreErrors(error: unknown): void {
  if (!(error instanceof StoreError)) throw error;
}
