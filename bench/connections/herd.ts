import { FakeProxy } from "@heddle/xds/fake.ts";
import { followEnvoy } from "@heddle/xds/fake-follow.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { openDoors } from "../control-plane/doors.ts";
import { Fleet, holdsAll, isAccepted } from "../control-plane/fleet.ts";
import { tokensFor, writeAll } from "../control-plane/prepare.ts";
import type { Server } from "../control-plane/server.ts";
import { type Instance, topology } from "../control-plane/topology.ts";
import { forgetPeak, memoryOf } from "../support/process-figures.ts";
import { footprint } from "./footprint.ts";

/** Instances of each of the 1,000 services that there may be. */
const INSTANCES = 6;
const NEWCOMERS = 10;
/** Between two newcomers, milliseconds. */
const PAUSE = 300;
const QUIET = 3_000;
/** Between two lines about how far the first deployment is. */
const PROGRESS = 10_000;
const PATIENCE = 180_000;

/** What thousands of proxies that return in the same moment cost. Times in milliseconds, memory in megabytes. */
export interface HerdFigures {
  readonly proxies: number;
  readonly connectedMillis: number;
  /** Every proxy has acknowledged all it should have, as the control plane counts it. */
  readonly syncedMillis: number;
  readonly steadyRss: number;
  readonly peakRss: number;
  readonly afterRss: number;
  /** Of the worst second. */
  readonly eventLoopP99: number;
  readonly cpuSeconds: number;
  /** Until each newcomer, while the others return, had everything. */
  readonly newcomers: readonly number[];
}

/** Connects so many, cuts all off, and lets all of them return at once. */
export async function runHerd(server: Server, proxies: number, say: (step: string) => void): Promise<HerdFigures> {
  const graph = topology({ instancesOfEach: INSTANCES });
  const all = graph.instances.slice(0, proxies + NEWCOMERS);
  say("writing services");
  await writeAll(server, graph, []);
  const access = { ca: await server.caPem(), tokens: await tokensFor(server, all) };
  const fleet = new Fleet(all.slice(0, proxies), { port: server.dpPort, ...access });
  using _doors = await openDoors(all);
  say("connecting all for the first time");
  const progress = setInterval(() => say(`${proxies - fleet.cutOff} are connected`), PROGRESS);
  await fleet.connect().finally(() => clearInterval(progress));
  await fleet.quiet(QUIET);
  await allSynced(server, proxies);
  const steady = await footprint(server);
  fleet.disconnect();
  // Within the time that a proxy has to return; whoever looks after those that are missing has looked by then.
  await sleep(3_000);
  say("all return");
  const newcomers = all
    .slice(proxies)
    .map((instance, index) => ({ instance, token: access.tokens[proxies + index] ?? "" }));
  const returned = await comeBack(
    server,
    fleet,
    newcomers.map((each) => ({ ...each, ca: access.ca })),
  );
  await fleet.quiet(QUIET);
  const after = await footprint(server);
  fleet.disconnect();
  return { proxies, steadyRss: steady.rss, afterRss: after.rss, ...returned };
}

/** A proxy that was never there. */
interface Newcomer {
  readonly instance: Instance;
  readonly token: string;
  readonly ca: string;
}

async function comeBack(
  server: Server,
  fleet: Fleet,
  newcomers: readonly Newcomer[],
): Promise<Omit<HerdFigures, "proxies" | "steadyRss" | "afterRss">> {
  await forgetPeak(server.pid);
  await server.eventLoopDelay();
  const cpu = await server.cpuSeconds();
  const started = performance.now();
  const watching = allSynced(server, fleet.members.length + newcomers.length);
  const back = fleet.returnAtOnce().then(() => performance.now() - started);
  const served = newcomers.map(async (newcomer, index) => {
    await sleep((index + 1) * PAUSE);
    return await serve(server, newcomer);
  });
  const connectedMillis = await back;
  const waited = await Promise.all(served);
  const eventLoopP99 = await watching;
  const syncedMillis = performance.now() - started;
  for (const { proxy } of waited) proxy.disconnect();
  return {
    connectedMillis,
    syncedMillis,
    eventLoopP99,
    cpuSeconds: (await server.cpuSeconds()) - cpu,
    peakRss: (await memoryOf(server.pid)).peak,
    newcomers: waited.map(({ millis }) => millis),
  };
}

/** Waits until the control plane says that so many proxies have everything; gives the event loop's delay, p99 of the worst second. */
async function allSynced(server: Server, wanted: number): Promise<number> {
  const end = performance.now() + PATIENCE;
  let worst = 0;
  for (;;) {
    // While thousands of handshakes are in the queue an answer may take longer than the server waits for the question.
    const { proxies, eventLoopP99 } = await server.synced().catch(() => ({ proxies: 0, eventLoopP99: 0 }));
    worst = Math.max(worst, eventLoopP99);
    if (proxies >= wanted) return worst;
    if (performance.now() > end)
      throw new Error(`Cannot go on: ${proxies} of ${wanted} proxies have everything after 180 s`);
    await sleep(1_000);
  }
}

async function serve(
  server: Server,
  { instance, token, ca }: Newcomer,
): Promise<{ readonly millis: number; readonly proxy: FakeProxy }> {
  const metadata = { "dataplane.resource": JSON.stringify(instance.document("Ready")), version: {} };
  const node = { id: `default.${instance.name}`, cluster: `service-${instance.service}`, metadata };
  const proxy = new FakeProxy({ port: server.dpPort, ca, token, node, follow: followEnvoy });
  const { promise: complete, resolve } = Promise.withResolvers<void>();
  proxy.onResponse = () => holdsAll(instance, proxy) && resolve();
  const started = performance.now();
  // As a launcher does: again and again, until the door is open.
  while (!(await isAccepted(proxy))) await sleep(100);
  await complete;
  return { millis: performance.now() - started, proxy };
}
