/**
 * One size of the benchmark in a process of its own, the load: it plays the proxies and the user, and keeps all the times,
 * so they are of one clock. The control plane is its child. The number of proxies comes as a message, the figures go back
 * as one.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { openDoors } from "./doors.ts";
import type { Figures } from "./figures.ts";
import { endpointFigures } from "./endpoint-changes.ts";
import { certificates, Fleet, type Received } from "./fleet.ts";
import { policyFigures } from "./policy-changes.ts";
import { meshWith, tokensFor, writeAll } from "./prepare.ts";
import { Server } from "./server.ts";
import { type Topology, topology } from "./topology.ts";

/** How long nothing must have come before it counts as quiet, milliseconds. */
const QUIET = 1_500;
const IDLE_SECONDS = 10;

// Whoever interrupts the benchmark wants nothing of it to go on.
for (const event of ["disconnect", "SIGINT", "SIGTERM"]) process.once(event, () => process.exit(1));

process.once("message", (proxies: number) => {
  void measure(proxies).then(
    (figures) => process.send?.(figures, () => process.exit(0)),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

async function measure(proxies: number): Promise<Figures> {
  const server = await Server.create();
  try {
    await server.start();
    return await run(server, topology(), proxies);
  } finally {
    await server.dispose();
  }
}

async function run(server: Server, graph: Topology, proxies: number): Promise<Figures> {
  const connected = graph.instances.slice(0, proxies);
  const writes = await writeAll(server, graph, graph.instances.slice(proxies));
  const tokens = await tokensFor(server, connected);
  await sleep(QUIET);
  const before = await server.memory();
  const fleet = new Fleet(connected, { port: server.dpPort, ca: await server.caPem(), tokens });
  using _doors = await openDoors(connected);
  const began = performance.now();
  const say = (step: string): void =>
    console.error(`    ${proxies} proxies, ${Math.round((performance.now() - began) / 1_000)} s: ${step}`);

  say("deploy");
  const deploy = await deployment(server, fleet);
  const memory = await server.memory();
  const idleCpu = await idle(server);
  say("policies");
  const policies = await policyFigures(server, fleet);
  say("endpoints");
  const endpoints = await endpointFigures(server, fleet);
  say("certificate authority");
  const authority = await authoritySwitch(server, fleet);
  const { rss, peak } = await server.memory();
  say("restart");
  const restart = await restartFigures(server, fleet);
  const figures: Figures = {
    proxies,
    writes,
    deploy,
    memory: { empty: before.rss, deployed: memory.rss, end: rss, peak, ofProxy: (memory.rss - before.rss) / proxies },
    idleCpu,
    policies,
    endpoints,
    authority,
    restart,
  };
  await server.dispose();
  fleet.disconnect();
  return figures;
}

async function deployment(server: Server, fleet: Fleet): Promise<Figures["deploy"]> {
  await server.eventLoopDelay();
  const cpu = await server.cpuSeconds();
  const started = performance.now();
  await fleet.connect();
  const connectedMillis = performance.now() - started;
  while (!fleet.isComplete) await sleep(20);
  const completeMillis = performance.now() - started;
  await fleet.quiet(QUIET);
  return {
    connectedMillis,
    completeMillis,
    quietMillis: fleet.lastResponseAt - started,
    cpuSeconds: (await server.cpuSeconds()) - cpu,
    eventLoopP99: await server.eventLoopDelay(),
    received: fleet.takeReceived(),
  };
}

/** Share of a core while nothing happens, in percent. */
async function idle(server: Server): Promise<number> {
  // Insights of the deployment are still being written for a moment.
  await sleep(3_000);
  const before = await server.cpuSeconds();
  await sleep(IDLE_SECONDS * 1_000);
  return (((await server.cpuSeconds()) - before) / IDLE_SECONDS) * 100;
}

async function authoritySwitch(server: Server, fleet: Fleet): Promise<Figures["authority"]> {
  await fleet.quiet(QUIET);
  await server.eventLoopDelay();
  const cpu = await server.cpuSeconds();
  const done = fleet.wave(() => 1, certificates);
  const started = performance.now();
  const [times] = await Promise.all([done, server.api.put("/meshes/default", meshWith("ca-2"))]);
  const millis = (times.at(-1) ?? started) - started;
  await fleet.quiet(QUIET);
  return {
    millis,
    quietMillis: fleet.lastResponseAt - started,
    cpuSeconds: (await server.cpuSeconds()) - cpu,
    eventLoopP99: await server.eventLoopDelay(),
  };
}

async function restartFigures(server: Server, fleet: Fleet): Promise<Figures["restart"]> {
  await sleep(2_000);
  await server.kill("SIGKILL");
  await Promise.all(fleet.members.map(({ proxy }) => proxy.ended));
  fleet.takeReceived();
  const started = performance.now();
  await server.start();
  const upMillis = performance.now() - started;
  await server.eventLoopDelay();
  await fleet.reconnect();
  const connectedMillis = performance.now() - started;
  const delays: number[] = [];
  for (;;) {
    const { proxies, eventLoopP99 } = await server.synced();
    delays.push(eventLoopP99);
    if (proxies >= fleet.members.length) break;
    await sleep(200);
    if (performance.now() - started > 60_000) throw new Error("Cannot see all proxies synced after the restart");
  }
  const syncedMillis = performance.now() - started;
  await fleet.quiet(QUIET);
  delays.push(await server.eventLoopDelay());
  const received: Received = fleet.takeReceived();
  return {
    upMillis,
    connectedMillis,
    syncedMillis,
    quietMillis: fleet.lastResponseAt - started,
    eventLoopP99: Math.max(...delays),
    cpuSeconds: await server.cpuSeconds(),
    received,
  };
}
