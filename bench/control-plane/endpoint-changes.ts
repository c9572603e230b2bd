import { setTimeout as sleep } from "node:timers/promises";
import type { Figures } from "./figures.ts";
import { EndpointWatch, type Fleet } from "./fleet.ts";
import type { Server } from "./server.ts";
import type { Instance } from "./topology.ts";

const IDLE_CHANGES = 120;
const CHURN_SECONDS = 20;
const CHURN_PER_SECOND = 50;

/** How long it takes until all callers of a service know that an instance is not ready, or ready again. */
export async function endpointFigures(server: Server, fleet: Fleet): Promise<Figures["endpoints"]> {
  const watch = new EndpointWatch(fleet);
  const candidates = fleet.members
    .map(({ instance }) => instance)
    .filter(({ service }) => fleet.consumersOf(service).length > 0);
  const states = new Map<Instance, "Ready" | "NotReady">();
  /** An application says that it is not ready, or ready again: what its Dataplane is written for most often. */
  const change = async (instance: Instance): Promise<number> => {
    const state = states.get(instance) === "NotReady" ? "Ready" : "NotReady";
    states.set(instance, state);
    const started = performance.now();
    const [at] = await Promise.all([
      watch.acknowledged(instance.service),
      server.api.put(`/meshes/default/dataplanes/${instance.name}`, instance.document(state)),
    ]);
    return at - started;
  };
  const at = (index: number): Instance => candidates[index % candidates.length] ?? fail();
  await server.eventLoopDelay();
  const idleTimes: number[] = [];
  for (let index = 0; index < IDLE_CHANGES; index += 1) {
    idleTimes.push(await change(at(index)));
    await sleep(20);
  }
  const idleEventLoopP99 = await server.eventLoopDelay();
  const cpu = await server.cpuSeconds();
  const churn = await churnTimes((index) => at(index * 7), watch, change);
  const figures = {
    idle: idleTimes,
    churn,
    consumers: candidates.reduce((sum, { service }) => sum + fleet.consumersOf(service).length, 0) / candidates.length,
    idleEventLoopP99,
    churnEventLoopP99: await server.eventLoopDelay(),
    churnCpu: (((await server.cpuSeconds()) - cpu) / CHURN_SECONDS) * 100,
  };
  // As the proxies themselves describe their instances: they will say so again when they come back.
  for (const [instance, state] of states) if (state === "NotReady") await change(instance);
  return figures;
}

/** A change each 20 ms whatever becomes of those before; one whose service is still under way gives its turn to the next. */
async function churnTimes(
  at: (index: number) => Instance,
  watch: EndpointWatch,
  change: (instance: Instance) => Promise<number>,
): Promise<readonly number[]> {
  const running: Promise<number>[] = [];
  const started = performance.now();
  let index = 0;
  for (let number = 0; number < CHURN_SECONDS * CHURN_PER_SECOND; number += 1) {
    for (let tries = 0; watch.isPending(at(index).service) && tries < 50; tries += 1) index += 1;
    if (!watch.isPending(at(index).service)) {
      const changing = change(at(index));
      // Awaited below with all others; until then it is nobody's unhandled failure.
      changing.catch(() => undefined);
      running.push(changing);
    }
    index += 1;
    await sleep(Math.max(0, started + ((number + 1) * 1_000) / CHURN_PER_SECOND - performance.now()));
  }
  return await Promise.all(running);
}

function fail(): never {
  throw new Error("Cannot change endpoints: no connected proxy is called by another");
}
