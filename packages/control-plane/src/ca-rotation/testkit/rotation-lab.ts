import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { Memo } from "@heddle/engine/memo.ts";
import { generateSigningKey } from "@heddle/identity/signing-key.ts";
import { signingKeyName } from "@heddle/identity/token-secrets.ts";
import { kindRegistry } from "@heddle/model/kind.ts";
import { CORE_KINDS } from "@heddle/model/kinds/index.ts";
import { parseResource } from "@heddle/model/parse-resource.ts";
import { policies } from "@heddle/policies/index.ts";
import { openMemoryStore } from "@heddle/store/memory.ts";
import { Authorities } from "../../identity/authorities.ts";
import { Certificates, type Held } from "../../identity/certificates.ts";
import { TokenService } from "../../identity/token-service.ts";
import { Meshes } from "../../mesh/meshes.ts";
import { Progress } from "../../mesh/progress.ts";
import { Presence } from "../../proxies/presence.ts";
import { Secrets } from "../../secrets.ts";
import { CaRotations } from "../ca-rotations.ts";
import { FakeProxy } from "./fake-proxy.ts";
import { type FailingStore, failingStore } from "./failing-store.ts";

const kinds = kindRegistry([...CORE_KINDS, ...policies.map(({ kind }) => kind)]);
const SIGNING_KEY = await generateSigningKey();
const PATIENCE = 8_000;

/** A control plane without ports. */
interface Running {
  readonly meshes: Meshes;
  readonly authorities: Authorities;
  readonly presence: Presence;
  readonly rotations: CaRotations;
  readonly progress: Progress;
  readonly ending: AbortController;
}

/** A mesh "default" with proxies, whose control plane can be killed and started again over its store. */
export class RotationLab implements AsyncDisposable {
  readonly store: FailingStore = failingStore(openMemoryStore());
  readonly secrets = new Secrets(this.store);
  readonly proxies: readonly FakeProxy[];
  readonly failures: string[] = [];
  now = new Date();
  /** Milliseconds for which an old authority stays after its last certificate was replaced. */
  readonly settleMillis: number;
  #running: Running | undefined;
  #remembered = new Map<string, Held>();

  private constructor(names: readonly string[], settleMillis: number) {
    this.settleMillis = settleMillis;
    this.proxies = names.map((name) => new FakeProxy(name));
  }

  static async start(
    resources: readonly object[],
    names: readonly string[] = ["a", "b", "c"],
    settleMillis = 0,
  ): Promise<RotationLab> {
    const lab = new RotationLab(names, settleMillis);
    const key = signingKeyName({ kind: "dataplane", mesh: "default" }, 1);
    await lab.secrets.ensure("default", key, async () => SIGNING_KEY);
    await lab.put(...resources, ...names.map(dataplane));
    await lab.startControlPlane();
    for (const proxy of lab.proxies) lab.connect(proxy);
    await lab.until(() => lab.proxies.every(({ certificate }) => certificate !== undefined));
    return lab;
  }

  get running(): Running {
    assert.ok(this.#running, "no control plane runs");
    return this.#running;
  }

  async put(...documents: readonly object[]): Promise<void> {
    for (const document of documents) {
      const parsed = parseResource(kinds, document);
      assert.ok(parsed.ok, JSON.stringify(parsed));
      const known = await this.store.get(parsed.value);
      await (known === undefined ? this.store.create(parsed.value) : this.store.update(parsed.value, known.version));
    }
  }

  connect(proxy: FakeProxy): void {
    const runtime = this.running.meshes.get("default");
    assert.ok(runtime);
    const { progress } = this.running;
    proxy.connect(runtime, () => progress.notify());
    this.running.presence.connected("default", proxy.name);
  }

  /** Its connection breaks; it is expected back. */
  disconnect(proxy: FakeProxy): void {
    proxy.disconnect();
    this.running.presence.disconnected("default", proxy.name);
  }

  /** It has been away for so long that nobody waits for it. */
  giveUp(proxy: FakeProxy): void {
    this.running.presence.leaving("default", proxy.name);
    this.disconnect(proxy);
  }

  async startControlPlane(): Promise<void> {
    const running = this.#build();
    for (const name of this.#remembered.keys()) running.presence.expect("default", name, { tlsReady: true, node: {} });
    const revision = await this.store.revision();
    await running.meshes.load(revision);
    for (const [name, held] of this.#remembered) running.meshes.get("default")?.remember(name, held);
    this.#running = running;
    void this.#follow(running, revision);
    await running.rotations.load();
  }

  /** As kill -9 does: nothing more is written, and streams just end. */
  kill(): void {
    const { meshes, ending, presence, rotations } = this.running;
    this.#remembered = new Map(
      [...(meshes.get("default")?.certificates ?? [])].map(([name, held]) => [
        name,
        { ...held, secret: { ...held.secret, bytes: new Uint8Array() } },
      ]),
    );
    ending.abort();
    presence.stop();
    rotations.stop();
    for (const proxy of this.proxies) proxy.forgetStream();
    this.#running = undefined;
  }

  /** Waits for a condition; at every turn of the event loop `always` holds. */
  async until(isDone: () => boolean, always: () => void = () => undefined): Promise<void> {
    const end = performance.now() + PATIENCE;
    for (;;) {
      always();
      if (isDone()) return;
      assert.ok(performance.now() < end, `gave up: ${this.#describe()}`);
      await turn();
    }
  }

  /** Every certificate in use is trusted by everybody who is connected. */
  assertTrusted(): void {
    const connected = this.proxies.filter(({ isConnected }) => isConnected);
    for (const one of connected) {
      for (const other of connected) {
        const { certificate } = one;
        if (certificate === undefined || other.certificate === undefined) continue;
        assert.ok(other.trusts(certificate), `${other.name} does not trust the certificate of ${one.name}`);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#running !== undefined) this.kill();
    await this.store[Symbol.asyncDispose]();
  }

  #describe(): string {
    const { rotations } = this.running;
    return JSON.stringify([rotations.current({ mesh: "default" }), this.failures], null, 1);
  }

  #build(): Running {
    const now = (): Date => this.now;
    const onFailure = (message: string, cause: unknown): void =>
      void this.failures.push(`${message}: ${String(cause)}`);
    const authorities = new Authorities(this.secrets, "zone-1", now);
    const progress = new Progress();
    const presence = new Presence({
      graceMillis: 60_000,
      apply: (mesh, name, facts) => meshes.get(mesh)?.apply([{ what: "facts", dataplane: name, facts }]),
      specOf: () => undefined,
      onGone: () => undefined,
    });
    const meshes: Meshes = new Meshes({
      store: this.store,
      kinds,
      tokens: new TokenService(this.secrets, now),
      factsOf: (mesh, name) => presence.factsOf(mesh, name),
      hasIssued: () => false,
      onRemoved: () => undefined,
      shared: {
        zone: "zone-1",
        policies,
        memo: new Memo(),
        sliceMillis: 1,
        authorities,
        certificates: new Certificates(authorities, now),
        onHeld: () => undefined,
        onProgress: () => progress.notify(),
        onFailure,
      },
    });
    const { store, secrets } = this;
    const log = (): void => undefined;
    const { settleMillis } = this;
    const parts = { store, secrets, meshes, authorities, progress, now };
    const rotations = new CaRotations({ ...parts, settleMillis, onFailure, log });
    return { meshes, authorities, presence, rotations, progress, ending: new AbortController() };
  }

  async #follow({ meshes, ending, progress }: Running, after: number): Promise<void> {
    for await (const events of this.store.watch({ after, signal: ending.signal })) {
      await meshes.take(events);
      progress.notify();
    }
  }
}

function dataplane(name: string): object {
  return {
    type: "Dataplane",
    mesh: "default",
    name,
    labels: { "kuma.io/workload": name },
    networking: { address: "127.0.0.1", inbound: [{ port: 10_000, servicePort: 10_001, name: "main" }] },
  };
}
