import { FakeProxy } from "@heddle/xds/fake.ts";
import { followEnvoy } from "@heddle/xds/fake-follow.ts";
import type { ReceivedResponse } from "@heddle/xds/fake-wire.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { type Instance, serviceOf } from "./topology.ts";

/** One proxy of the fleet. */
interface Member {
  readonly instance: Instance;
  readonly proxy: FakeProxy;
}

/** Responses that a fleet got, by the last part of the type, and the bytes of all. */
export interface Received {
  readonly responses: Readonly<Record<string, number>>;
  readonly resources: number;
  readonly bytes: number;
}

/** Connections that are being made at the same time: what a busy network brings, not a queue of thousands. */
const IN_FLIGHT = 64;
const PATIENCE = 20_000;

/** Proxies without a data plane: each connects, asks, acknowledges and returns as an Envoy with this Dataplane does. */
export class Fleet {
  readonly members: readonly Member[];
  /** When any of them last got anything; performance.now(). */
  lastResponseAt = 0;
  /** Hears every response after it was acknowledged. */
  listen: (index: number, response: ReceivedResponse) => void = () => {};
  readonly #consumers = new Map<number, number[]>();
  readonly #responses = new Map<string, number>();
  #resources = 0;

  constructor(
    instances: readonly Instance[],
    { port, ca, tokens }: { readonly port: number; readonly ca: string; readonly tokens: readonly string[] },
  ) {
    this.members = instances.map((instance, index) => {
      const metadata = { "dataplane.resource": JSON.stringify(instance.document("Ready")), version: {} };
      const node = { id: `default.${instance.name}`, cluster: `service-${instance.service}`, metadata };
      const proxy = new FakeProxy({ port, ca, token: tokens[index] ?? "", node, follow: followEnvoy });
      proxy.onResponse = (response) => this.#hear(index, response);
      for (const callee of instance.calls) this.#consumers.set(callee, [...(this.#consumers.get(callee) ?? []), index]);
      return { instance, proxy };
    });
  }

  /** How many have no stream now: they wait for nothing any more, and nothing would reach them. */
  get cutOff(): number {
    return this.members.filter(({ proxy }) => proxy.stream === undefined || proxy.stream.destroyed).length;
  }

  /** Connects all. A refusal ends the run: nothing that is measured afterwards would mean anything. */
  async connect(): Promise<void> {
    await this.#each((member) => member.proxy.connect());
  }

  /** All come back, each within half a second and as often as it takes. */
  async reconnect(): Promise<void> {
    await Promise.all(
      this.members.map(async ({ proxy }) => {
        for (;;) {
          await sleep(Math.random() * 500);
          if (await isAccepted(proxy)) return;
        }
      }),
    );
  }

  /** All come back in the same moment, and again within half a second as often as it takes. */
  async returnAtOnce(): Promise<void> {
    await Promise.all(
      this.members.map(async ({ proxy }) => {
        while (!(await isAccepted(proxy))) await sleep(Math.random() * 500);
      }),
    );
  }

  disconnect(): void {
    for (const { proxy } of this.members) proxy.disconnect();
  }

  /** Whether every proxy holds what its Dataplane makes of it: clusters, endpoints, listeners, routes and secrets. */
  get isComplete(): boolean {
    return this.members.every(({ instance, proxy }) => holdsAll(instance, proxy));
  }

  /** Who calls a service, by index. */
  consumersOf(service: number): readonly number[] {
    return this.#consumers.get(service) ?? [];
  }

  /** Waits until nobody has got anything for so many milliseconds. */
  async quiet(millis: number): Promise<void> {
    while (performance.now() - this.lastResponseAt < millis) await sleep(50);
  }

  /**
   * Resolves when each proxy has acknowledged as many resources of a type as `expected` says, counted from now, with the
   * times at which they were through. `counts` says which resources are meant.
   */
  wave(
    expected: (instance: Instance) => number,
    counts: (response: ReceivedResponse) => number,
  ): Promise<readonly number[]> {
    const left = this.members.map(({ instance }) => expected(instance));
    const times: number[] = [];
    let waiting = left.filter((count) => count > 0).length;
    const { promise, resolve, reject } = Promise.withResolvers<readonly number[]>();
    const late = setTimeout(
      () => reject(new Error(`Cannot go on: ${waiting} proxies have not got what they should within ${PATIENCE} ms`)),
      PATIENCE,
    );
    this.listen = (index, response) => {
      const before = left[index] ?? 0;
      const after = before - counts(response);
      left[index] = after;
      if (before <= 0 || after > 0) return;
      times.push(performance.now());
      waiting -= 1;
      if (waiting > 0) return;
      clearTimeout(late);
      resolve(times);
    };
    return promise;
  }

  /** Starts to count anew, and gives what came until now. */
  takeReceived(): Received {
    const responses = Object.fromEntries(this.#responses);
    const resources = this.#resources;
    const bytes = this.members.reduce((sum, { proxy }) => sum + proxy.counts.bytes, 0);
    for (const { proxy } of this.members) proxy.counts.bytes = 0;
    this.#responses.clear();
    this.#resources = 0;
    return { responses, resources, bytes };
  }

  #hear(index: number, response: ReceivedResponse): void {
    this.lastResponseAt = performance.now();
    const { typeUrl, resources, removed } = response;
    const short = typeUrl.slice(typeUrl.lastIndexOf(".") + 1);
    // An answer without content says "you are up to date": it costs a proxy nothing.
    if (resources.length + removed.length > 0) this.#responses.set(short, (this.#responses.get(short) ?? 0) + 1);
    this.#resources += resources.length;
    this.listen(index, response);
  }

  async #each(work: (member: Member) => Promise<void>): Promise<void> {
    const members = this.members.values();
    const worker = async (): Promise<void> => {
      for (const member of members) await work(member);
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  }
}

/** Connects a proxy; says whether it was let in. */
export async function isAccepted(proxy: FakeProxy): Promise<boolean> {
  return await proxy.connect().then(
    () => true,
    () => false,
  );
}

/** Whether a proxy holds what its Dataplane makes of it. */
export function holdsAll({ calls: { length } }: Instance, { held }: FakeProxy): boolean {
  const has = (typeUrl: string, count: number): boolean => (held.get(typeUrl)?.size ?? 0) >= count;
  return (
    has(TYPE_URL.cluster, length + 1) &&
    has(TYPE_URL.endpoint, length) &&
    has(TYPE_URL.listener, length + 1) &&
    has(TYPE_URL.route, length + 1) &&
    has(TYPE_URL.secret, 2)
  );
}

/** Counts resources of a type. */
export function resourcesOf(typeUrl: string): (response: ReceivedResponse) => number {
  return (response) => (response.typeUrl === typeUrl ? response.resources.length : 0);
}

/** Counts certificates with their keys: what a proxy gets when another authority signs for it. */
export function certificates({ typeUrl, resources }: ReceivedResponse): number {
  if (typeUrl !== TYPE_URL.secret) return 0;
  return resources.filter(({ value }) => Buffer.from(value).includes("PRIVATE KEY")).length;
}

/** Follows changes of services' endpoints to all who call them. */
export class EndpointWatch {
  readonly #fleet: Fleet;
  readonly #pending = new Map<number, { readonly waiting: Set<number>; readonly resolve: (at: number) => void }>();

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
    fleet.listen = (index, response) => this.#hear(index, response);
  }

  isPending(service: number): boolean {
    return this.#pending.has(service);
  }

  /** The time at which the last of its callers has acknowledged new endpoints of a service. */
  async acknowledged(service: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const waiting = new Set(this.#fleet.consumersOf(service));
    this.#pending.set(service, { waiting, resolve });
    const late = setTimeout(() => {
      const who = `${waiting.size} of ${this.#fleet.consumersOf(service).length} callers`;
      const lost = `${this.#fleet.cutOff} proxies of the fleet are cut off`;
      reject(new Error(`Cannot see the change of service-${service} arrive at ${who} in ${PATIENCE} ms; ${lost}`));
    }, PATIENCE);
    try {
      return await promise;
    } finally {
      clearTimeout(late);
    }
  }

  #hear(index: number, { typeUrl, resources }: ReceivedResponse): void {
    if (typeUrl !== TYPE_URL.endpoint) return;
    for (const { name } of resources) {
      const service = serviceOf(name);
      const change = service === undefined ? undefined : this.#pending.get(service);
      if (service === undefined || !change?.waiting.delete(index) || change.waiting.size > 0) continue;
      this.#pending.delete(service);
      change.resolve(performance.now());
    }
  }
}
