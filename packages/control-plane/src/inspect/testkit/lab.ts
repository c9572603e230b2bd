import { Memo } from "@heddle/engine/memo.ts";
import type { DataplaneFacts } from "@heddle/engine/snapshot/snapshot.ts";
import { CORE_KINDS } from "@heddle/model/kinds/index.ts";
import { kindRegistry } from "@heddle/model/kind.ts";
import { parseResource } from "@heddle/model/parse-resource.ts";
import type { NewResource, ResourceKey } from "@heddle/model/resource.ts";
import type { Store } from "@heddle/model/store.ts";
import { policies } from "@heddle/policies/index.ts";
import { openMemoryStore } from "@heddle/store/memory.ts";
import type { ResourceSet } from "@heddle/xds/resource.ts";
import { parseAllDocuments } from "yaml";
import { adminKeysFrom } from "../../envoy-admin/admin-keys.ts";
import { Authorities } from "../../identity/authorities.ts";
import { Certificates } from "../../identity/certificates.ts";
import { TokenService } from "../../identity/token-service.ts";
import { Meshes } from "../../mesh/meshes.ts";
import { Progress } from "../../mesh/progress.ts";
import type { Proxy } from "../../mesh/proxy.ts";
import { Secrets } from "../../secrets.ts";
import { createInspect } from "../inspect.ts";
import type { InspectOptions } from "../options.ts";

const kinds = kindRegistry([...CORE_KINDS, ...policies.map(({ kind }) => kind)]);
const ONLINE: DataplaneFacts = { online: true, warm: true, tlsReady: true, leaving: false, unhealthy: [] };

/** A control plane without servers: a memory store, live meshes that follow it, every real policy, and inspection. */
export class Lab implements AsyncDisposable {
  readonly store: Store = openMemoryStore();
  readonly progress = new Progress();
  readonly failures: string[] = [];
  readonly meshes: Meshes;
  readonly options: InspectOptions;
  readonly inspect: ReturnType<typeof createInspect>;
  readonly #ending = new AbortController();
  readonly #following: Promise<void>;

  constructor() {
    const secrets = new Secrets(this.store);
    const now = (): Date => new Date();
    const authorities = new Authorities(secrets, "zone-1", now);
    const memo = new Memo();
    const settings = { zone: "zone-1", policies, memo, sliceMillis: 5 };
    this.meshes = new Meshes({
      store: this.store,
      kinds,
      tokens: new TokenService(secrets, now),
      factsOf: () => undefined,
      hasIssued: () => false,
      onRemoved: () => undefined,
      shared: {
        ...settings,
        authorities,
        certificates: new Certificates(authorities, now),
        onHeld: () => undefined,
        onProgress: () => this.progress.notify(),
        onFailure: (message) => this.failures.push(message),
      },
    });
    this.options = {
      ...settings,
      meshes: this.meshes,
      kinds,
      progress: this.progress,
      store: this.store,
      adminKeys: adminKeysFrom({ seed: Buffer.alloc(32), created: now() }),
      authorities,
      availabilityTarget: 0,
      now,
      trustDomain: (identity) => authorities.trustDomain(identity),
    };
    this.inspect = createInspect(this.options);
    this.#following = this.#follow();
  }

  /** Writes every document, creating or replacing; gives the revision after the last. */
  async write(yaml: string): Promise<number> {
    for (const resource of resourcesIn(yaml)) {
      const stored = await this.store.get(resource);
      await (stored === undefined ? this.store.create(resource) : this.store.update(resource, stored.version));
    }
    return await this.store.revision();
  }

  async remove(key: ResourceKey): Promise<number> {
    await this.store.delete(key);
    return await this.store.revision();
  }

  /** Waits until everything written so far has been turned into configuration. */
  async settle(): Promise<void> {
    const wanted = await this.store.revision();
    const patience = AbortSignal.timeout(5_000);
    const isSettled = (): boolean =>
      this.meshes.revision >= wanted && [...this.meshes.all()].every((runtime) => runtime.isSettled);
    while (!isSettled()) await this.progress.wait(patience);
  }

  /** Connects a proxy that takes every set over, or does with it what `push` does. */
  async connect(mesh: string, name: string, push?: (proxy: Proxy, set: ResourceSet) => void): Promise<Proxy> {
    await this.settle();
    const runtime = this.meshes.get(mesh);
    if (runtime === undefined) throw new Error(`Cannot connect "${name}": there is no mesh "${mesh}"; write it first`);
    const proxy = runtime.connect(name);
    proxy.attach((set) => {
      if (push === undefined) proxy.synced(set);
      else push(proxy, set);
      this.progress.notify();
    });
    runtime.apply([{ what: "facts", dataplane: name, facts: ONLINE }]);
    await this.settle();
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#following;
    await this.store[Symbol.asyncDispose]();
  }

  async #follow(): Promise<void> {
    for await (const events of this.store.watch({ after: 0, signal: this.#ending.signal }))
      await this.meshes.take(events);
  }
}

/** Reads documents as users write them. Throws when one is wrong: a test must know what it writes. */
export function resourcesIn(yaml: string): readonly NewResource[] {
  return parseAllDocuments(yaml).map((document) => {
    const parsed = parseResource(kinds, document.toJS());
    if (parsed.ok) return parsed.value;
    throw new Error(
      `Cannot read a document: ${parsed.violations.map((each) => `${each.field} ${each.message}`).join("; ")}`,
    );
  });
}
