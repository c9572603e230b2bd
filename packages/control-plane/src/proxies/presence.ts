import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type DataplaneFacts, type NodeFacts, OFFLINE } from "@heddle/engine/snapshot/snapshot.ts";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";

/** Which proxies are there, as far as sending them requests goes. */
export interface PresenceOptions {
  /** Milliseconds that a proxy which vanished may take to come back. */
  readonly graceMillis: number;
  /** Makes new facts known to the mesh. */
  readonly apply: (mesh: string, dataplane: string, facts: DataplaneFacts) => void;
  readonly specOf: (mesh: string, dataplane: string) => DataplaneSpec | undefined;
  /** A proxy is really gone. `left` is true when it said goodbye. */
  readonly onGone: (mesh: string, dataplane: string, left: boolean) => void;
}

interface Entry {
  facts: DataplaneFacts;
  streams: number;
  timer: NodeJS.Timeout | undefined;
  /** Somebody waits for its ports to open. */
  opening?: boolean;
}

/** How long proxies may take to find a control plane that was away: twice Envoy's longest pause between two tries. */
const RETURN_MILLIS = 60_000;

/** Pauses between looks at the port of a proxy that vanished: a dying process closes its ports one after the other. */
const LOOKS = [0, 100, 500, 2_000];

/** Follows proxies from their first connection to their end, through losses of connection that mean nothing. */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  factsOf(mesh: string, dataplane: string): DataplaneFacts {
    return this.#entries.get(`${mesh}/${dataplane}`)?.facts ?? OFFLINE;
  }

  /** A proxy that was connected before this control plane started: it counts as there until it had time to return. */
  expect(mesh: string, dataplane: string, known: Pick<DataplaneFacts, "tlsReady" | "node">): void {
    const entry = this.#entry(mesh, dataplane);
    entry.facts = { ...entry.facts, online: true, warm: true, ...known };
    // Nobody lost this proxy: it was the control plane that was away, perhaps for long, and proxies ask ever more rarely.
    this.#startGrace(mesh, dataplane, entry, Math.max(RETURN_MILLIS, this.#options.graceMillis));
    setTimeout(() => void this.#lookAfter(mesh, dataplane, entry), this.#options.graceMillis).unref();
  }

  connected(mesh: string, dataplane: string, node: NodeFacts = {}): void {
    const entry = this.#entry(mesh, dataplane);
    entry.streams += 1;
    clearTimeout(entry.timer);
    entry.timer = undefined;
    this.#change(mesh, dataplane, { online: true, leaving: false, node });
  }

  /** Everything was acknowledged: its listeners are open. */
  synced(mesh: string, dataplane: string, tlsReady: boolean): void {
    this.#change(mesh, dataplane, { warm: true, tlsReady });
  }

  /** The same for a proxy whose certificate comes from elsewhere: its ports open when it has that. */
  async syncedOnceOpen(mesh: string, dataplane: string): Promise<void> {
    const entry = this.#entry(mesh, dataplane);
    const { address, inbound: [inbound] = [] } = this.#options.specOf(mesh, dataplane)?.networking ?? {};
    if (address === undefined || entry.opening) return;
    entry.opening = true;
    for (let pause = 20; inbound !== undefined && !entry.facts.warm && entry.streams > 0; pause = nextLook(pause)) {
      if (!(await isRefused(inbound.address ?? address, inbound.port))) break;
      await sleep(pause, undefined, { ref: false });
    }
    entry.opening = false;
    if (entry.streams > 0) this.synced(mesh, dataplane, true);
  }

  /** It is about to stop: nobody may send it new requests. */
  leaving(mesh: string, dataplane: string): void {
    this.#change(mesh, dataplane, { leaving: true });
  }

  /** Ports whose application does not answer. */
  unhealthy(mesh: string, dataplane: string, ports: readonly number[]): void {
    this.#change(mesh, dataplane, { unhealthy: ports });
  }

  disconnected(mesh: string, dataplane: string): void {
    const entry = this.#entry(mesh, dataplane);
    entry.streams -= 1;
    if (entry.streams > 0) return;
    if (entry.facts.leaving) {
      this.#gone(mesh, dataplane, true);
      return;
    }
    this.#startGrace(mesh, dataplane, entry);
    void this.#lookAfter(mesh, dataplane, entry);
  }

  stop(): void {
    for (const { timer } of this.#entries.values()) clearTimeout(timer);
  }

  /**
   * A lost connection says little: it may be this control plane's network. A refused connection to the proxy's own port
   * says that the proxy is gone, so callers need not wait for the grace to end.
   */
  async #lookAfter(mesh: string, dataplane: string, entry: Entry): Promise<void> {
    const spec = this.#options.specOf(mesh, dataplane);
    const [inbound] = spec?.networking.inbound ?? [];
    if (spec === undefined || inbound === undefined) return;
    for (const pause of LOOKS) {
      await sleep(pause, undefined, { ref: false });
      // It came back, or its grace is over.
      if (entry.streams > 0 || entry.timer === undefined) return;
      if (!(await isRefused(inbound.address ?? spec.networking.address, inbound.port))) continue;
      if (entry.streams === 0) this.#change(mesh, dataplane, { online: false, warm: false });
      return;
    }
  }

  #startGrace(mesh: string, dataplane: string, entry: Entry, millis = this.#options.graceMillis): void {
    clearTimeout(entry.timer);
    entry.timer = setTimeout(() => this.#gone(mesh, dataplane, false), millis);
    entry.timer.unref();
  }

  #gone(mesh: string, dataplane: string, left: boolean): void {
    clearTimeout(this.#entry(mesh, dataplane).timer);
    this.#change(mesh, dataplane, OFFLINE);
    this.#entries.delete(`${mesh}/${dataplane}`);
    this.#options.onGone(mesh, dataplane, left);
  }

  #change(mesh: string, dataplane: string, change: Partial<DataplaneFacts>): void {
    const entry = this.#entry(mesh, dataplane);
    const facts = { ...entry.facts, ...change };
    if (JSON.stringify(facts) === JSON.stringify(entry.facts)) return;
    entry.facts = facts;
    this.#options.apply(mesh, dataplane, facts);
  }

  #entry(mesh: string, dataplane: string): Entry {
    const key = `${mesh}/${dataplane}`;
    const entry = this.#entries.get(key) ?? { facts: OFFLINE, streams: 0, timer: undefined };
    this.#entries.set(key, entry);
    return entry;
  }
}

// Nothing tells when Envoy got a certificate from somebody else; a look costs little, and ever less.
function nextLook(pause: number): number {
  return Math.min(2 * pause, 2_000);
}

/** Whether a port answers that nobody listens. Silence proves nothing: a firewall may stand between. */
async function isRefused(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port, timeout: 1_000 });
  socket.once("connect", () => resolve(false));
  socket.once("timeout", () => resolve(false));
  socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
  const refused = await promise;
  socket.destroy();
  return refused;
}
