/**
 * How fast a real control plane is: the five measures of Kong's mesh-perf (deploy, policy, endpoint, certificate
 * authority, memory) and idle time and restart, with 1,000 services of two instances in a random graph of calls.
 * Run: `node bench/control-plane.ts [proxies ...]`, default 10, 500 and 2,000. `HEDDLE_BENCH_PROFILE=folder` profiles.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Figures } from "./control-plane/figures.ts";
import { atMost, printTable, type Row } from "./support/report.ts";
import { figure, median, quantile, spread } from "./support/statistics.ts";

const asked = process.argv.slice(2).map(Number);
for (const proxies of asked.length > 0 ? asked : [10, 500, 2_000]) {
  const figures = await measure(proxies);
  printTable(`${proxies} proxies connected, of 1,000 services x 2 instances`, rows(figures));
}

async function measure(proxies: number): Promise<Figures> {
  const child = fork(join(import.meta.dirname, "control-plane/scenario.ts"));
  child.send(proxies);
  const ended = once(child, "exit").then(([code]): never => {
    throw new Error(`Cannot measure ${proxies} proxies: the load ended with ${String(code)}`);
  });
  const [figures] = (await Promise.race([once(child, "message"), ended])) as [Figures];
  ended.catch(() => undefined);
  return figures;
}

function rows(figures: Figures): readonly Row[] {
  return [...deployRows(figures), ...changeRows(figures), ...authorityRows(figures), ...restartRows(figures)];
}

function deployRows({ proxies, writes, deploy, memory, idleCpu }: Figures): readonly Row[] {
  const isLarge = proxies >= 2_000;
  return [
    { measure: "REST writes, each on disk", figure: `${writes.toFixed(0)}/s` },
    {
      measure: "deploy: all connected, complete, quiet",
      figure: `${seconds(deploy.connectedMillis)}, ${seconds(deploy.completeMillis)}, ${seconds(deploy.quietMillis)}`,
    },
    {
      measure: "  its cost",
      figure: `${deploy.cpuSeconds.toFixed(1)} s of CPU, ${megabytes(deploy.received.bytes)} sent, ${counts(deploy.received.responses)}`,
    },
    eventLoop("  event loop", deploy.eventLoopP99),
    {
      measure: "memory: RSS after deploy",
      figure: `${memory.deployed.toFixed(0)} MB (${memory.empty.toFixed(0)} before)`,
      ...(isLarge ? { target: atMost(memory.deployed, 450, "MB") } : {}),
    },
    {
      measure: "memory: RSS at the end, peak",
      figure: `${memory.end.toFixed(0)} MB, ${memory.peak.toFixed(0)} MB`,
      ...(isLarge ? { target: atMost(memory.end, 450, "MB") } : {}),
    },
    {
      measure: "memory: a connected proxy",
      figure: `${(memory.ofProxy * 1_000).toFixed(0)} kB`,
      ...(proxies >= 500 ? { target: atMost(memory.ofProxy * 1_000, 150, "kB") } : {}),
    },
    { measure: "idle", figure: `${idleCpu.toFixed(2)}% of a core`, target: atMost(idleCpu, 2, "%") },
  ];
}

function changeRows({ proxies, policies, endpoints }: Figures): readonly Row[] {
  const limit = proxies <= 500 ? 300 : 1_000;
  const policy = (measure: string, times: readonly number[]): Row => ({
    measure,
    figure: `median ${figure(median(times))}, max ${figure(Math.max(...times))} ms`,
    target: atMost(median(times), limit, "ms"),
  });
  const [p50, p99] = [quantile(endpoints.idle, 0.5), quantile(endpoints.idle, 0.99)];
  return [
    policy("mesh-wide policy, 10 routes a proxy → all ACKed", policies.outbound),
    policy("mesh-wide policy, 1 route a proxy → all ACKed", policies.inbound),
    policy("mesh-wide policy, 10 clusters a proxy → all ACKed", policies.clusters),
    eventLoop("  event loop", policies.eventLoopP99),
    {
      measure: "one proxy's policy → ACKed",
      figure: spread(policies.one),
      target: atMost(median(policies.one), 20, "ms"),
    },
    {
      measure: `endpoint change → all consumers ACKed (mean ${endpoints.consumers.toFixed(0)})`,
      figure: `${spread(endpoints.idle)}`,
      target: { text: "≤ 30, ≤ 150", met: p50 <= 30 && p99 <= 150 },
    },
    eventLoop("  event loop", endpoints.idleEventLoopP99),
    {
      measure: `  under 50 changes/s (${endpoints.churn.length} changes)`,
      figure: spread(endpoints.churn),
      target: atMost(quantile(endpoints.churn, 0.99), 500, "ms p99"),
    },
    { measure: "  its cost", figure: `${endpoints.churnCpu.toFixed(0)}% of a core` },
    eventLoop("  event loop", endpoints.churnEventLoopP99),
  ];
}

function authorityRows({ proxies, authority }: Figures): readonly Row[] {
  return [
    {
      measure: "CA switched → all re-issued",
      figure: `${seconds(authority.millis)} (${(proxies / (authority.millis / 1_000)).toFixed(0)}/s, ${authority.cpuSeconds.toFixed(1)} s of CPU)`,
      target: atMost(authority.millis / 1_000, 15, "s"),
    },
    eventLoop("  event loop", authority.eventLoopP99),
  ];
}

function restartRows({ restart }: Figures): readonly Row[] {
  const { received } = restart;
  const { Secret: secrets = 0, ...others } = received.responses;
  const pushed = Object.values(others).reduce((sum, count) => sum + count, 0);
  return [
    {
      measure: "killed and started: serves, all back, all synced",
      figure: `${seconds(restart.upMillis)}, ${seconds(restart.connectedMillis)}, ${seconds(restart.syncedMillis)}`,
      target: atMost(restart.syncedMillis / 1_000, 5, "s"),
    },
    {
      measure: "  configuration pushed on return",
      figure: `${pushed} responses ${counts(others)}`.trim(),
      target: { text: "0", met: pushed === 0 },
    },
    {
      measure: "  certificates and bytes on return",
      figure: `${secrets} responses, ${megabytes(received.bytes)}, ${restart.cpuSeconds.toFixed(1)} s of CPU`,
    },
    eventLoop("  event loop", restart.eventLoopP99),
  ];
}

/** The histogram samples every 10 ms, and counts those in. */
function eventLoop(measure: string, p99: number): Row {
  return { measure, figure: `p99 ${p99.toFixed(0)} ms`, target: atMost(p99, 100, "ms") };
}

function seconds(millis: number): string {
  return `${(millis / 1_000).toFixed(2)} s`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}

function counts(responses: Readonly<Record<string, number>>): string {
  return Object.entries(responses)
    .map(([type, count]) => `${type} ${count}`)
    .join(", ");
}
