import { FakeProxy } from "@heddle/xds/fake.ts";
import { followEnvoy } from "@heddle/xds/fake-follow.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { holdsAll } from "../control-plane/fleet.ts";
import { tokensFor, writeAll } from "../control-plane/prepare.ts";
import type { Server } from "../control-plane/server.ts";
import { type Instance, topology } from "../control-plane/topology.ts";
import { type Footprint, footprint } from "./footprint.ts";

/** Proxies that come again and again, all of a small mesh; so many at the same time. */
const MESH = { services: 100, instancesOfEach: 5, mostCalls: 3 };
const AT_ONCE = 16;
/** Every so many cycles a proxy comes that was never there, and is deleted afterwards. */
const GUESTS = 10;
const PATIENCE = 30_000;

/** What many cycles of connecting, getting the first set, acknowledging and going left behind. */
export interface CycleFigures {
  readonly cycles: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** After the first tenth, the second, and so on. */
  readonly footprints: readonly Footprint[];
}

/** Runs so many cycles; tells the footprint after each tenth. */
export async function runCycles(
  server: Server,
  cycles: number,
  onTenth: (done: number, footprint: Footprint) => void,
): Promise<CycleFigures> {
  const graph = topology(MESH);
  const regulars = graph.instances;
  await writeAll(server, graph, []);
  const load = new Load(server, regulars, { ca: await server.caPem(), tokens: await tokensFor(server, regulars) });
  const started = performance.now();
  const cpu = await server.cpuSeconds();
  const footprints: Footprint[] = [];
  for (let tenth = 1; tenth <= 10; tenth += 1) {
    await load.run(Math.round((cycles / 10) * tenth));
    // Those who left are noticed, their insights written.
    await sleep(3_000);
    const found = await footprint(server);
    footprints.push(found);
    onTenth(load.done, found);
  }
  return {
    cycles: load.done,
    seconds: (performance.now() - started) / 1_000,
    cpuSeconds: (await server.cpuSeconds()) - cpu,
    footprints,
  };
}

class Load {
  done = 0;
  readonly #server: Server;
  readonly #regulars: readonly Instance[];
  readonly #ca: string;
  readonly #tokens: readonly string[];
  #next = 0;

  constructor(
    server: Server,
    regulars: readonly Instance[],
    { ca, tokens }: { readonly ca: string; readonly tokens: readonly string[] },
  ) {
    this.#server = server;
    this.#regulars = regulars;
    this.#ca = ca;
    this.#tokens = tokens;
  }

  /** Goes on until so many cycles are done in all. */
  async run(until: number): Promise<void> {
    const worker = async (): Promise<void> => {
      while (this.#next < until) {
        const number = this.#next++;
        if (number % GUESTS === 0) await this.#guest(number);
        else await this.#regular(number);
        this.done += 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  async #regular(number: number): Promise<void> {
    const index = number % this.#regulars.length;
    const instance = this.#regulars[index];
    if (instance !== undefined) await this.#cycle(instance, this.#tokens[index] ?? "");
  }

  /** A proxy that was never there, with a token of its own; its Dataplane is deleted in the end. */
  async #guest(number: number): Promise<void> {
    const like = this.#regulars[number % this.#regulars.length];
    if (like === undefined) return;
    const name = `guest-${number}`;
    const guest: Instance = { ...like, name, document: (state) => ({ ...like.document(state), name }) };
    const token = await this.#server.api.post("/tokens/dataplane", { mesh: "default", name, validFor: "1h" });
    await this.#cycle(guest, token);
    await this.#server.api.delete(`/meshes/default/dataplanes/${name}`);
  }

  async #cycle(instance: Instance, token: string): Promise<void> {
    const metadata = { "dataplane.resource": JSON.stringify(instance.document("Ready")), version: {} };
    const node = { id: `default.${instance.name}`, cluster: `service-${instance.service}`, metadata };
    const proxy = new FakeProxy({ port: this.#server.dpPort, ca: this.#ca, token, node, follow: followEnvoy });
    const { promise: complete, resolve, reject } = Promise.withResolvers<void>();
    proxy.onResponse = () => holdsAll(instance, proxy) && resolve();
    const late = setTimeout(() => reject(new Error(`${instance.name} has not got everything in 30 s`)), PATIENCE);
    try {
      await proxy.connect();
      await complete;
      // The acknowledgement of the last response is on its way; it goes out before the connection ends.
      await new Promise((sent) => setImmediate(sent));
    } finally {
      clearTimeout(late);
      proxy.disconnect();
    }
  }
}
