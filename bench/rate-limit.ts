/**
 * What it costs a request to be counted over all instances: one sidecar without a limit, one with a MeshRateLimit, which it
 * counts by itself, and two with a MeshGlobalRateLimit, whose control planes count in memory and in Valkey. In turns, so that
 * whatever else the machine does falls on all alike; ratios are medians over the rounds of what stood side by side. Every
 * sidecar has one worker, and no limit is ever reached.
 * Run: `node bench/rate-limit.ts [rounds]`, default 5; `wrk` makes the load when it is installed.
 */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ControlPlaneProcess } from "../test/support/control-plane-process.ts";
import { eventually } from "../test/support/eventually.ts";
import { freePorts } from "../test/support/free-ports.ts";
import { Mesh } from "../test/support/lab.ts";
import { startRedis } from "../test/support/redis.ts";
import { hasWrk, type Round, saturate, steady } from "./data-path/load.ts";
import { direct } from "./data-path/paths.ts";
import { Cleanup } from "./support/cleanup.ts";
import { threadSeconds } from "./support/process-figures.ts";
import { atMost, printTable, type Row } from "./support/report.ts";
import { figure, median, quantile } from "./support/statistics.ts";

const ROUNDS = Number(process.argv[2] ?? 5);
const SECONDS = 2;
const CONNECTIONS = 32;
const STEADY_PER_SECOND = 500;
const BODY_BYTES = 1_024;
const RATE = { num: 4_000_000_000, interval: "24h" };

interface Measured {
  readonly name: string;
  readonly url: string;
  /** Requests that the control plane has counted, and those it could not; nothing where it is not asked. */
  readonly decisions?: () => Promise<{ readonly ok: number; readonly error: number }>;
  readonly controlPlane: number;
  readonly full: Round[];
  readonly steady: Round[];
  /** Processor time of the control plane for one request, in microseconds: one figure for each full round. */
  readonly cpu: number[];
}

const wrk = await hasWrk();
await using cleanup = new Cleanup();
const folder = await mkdtemp(join(tmpdir(), "heddle-bench-"));
cleanup.after(() => rm(folder, { recursive: true, force: true }));
const { port: applicationPort } = await direct(cleanup, folder, BODY_BYTES);
const valkey = await startRedis(cleanup, "valkey");
const inMemory = await controlPlane("memory", {});
const inValkey = await controlPlane("valkey", { HEDDLE_RATE_LIMIT_REDIS_URL: valkey.url });
const none = await sidecar(inMemory, "no limit");
const local = await sidecar(inMemory, "MeshRateLimit", { local: { http: { requestRate: RATE } } });
const backend = { rateLimitService: { limitOnServiceFail: true, timeout: "1s" } };
const counted = { http: { requestRate: RATE }, backend };
const memory = await sidecar(inMemory, "MeshGlobalRateLimit", counted, "in memory");
const redis = await sidecar(inValkey, "MeshGlobalRateLimit", counted, "in Valkey");
const measured = [none, local, memory, redis];

for (const { url } of measured) await saturate(url, CONNECTIONS, 1, wrk);
for (let round = 0; round < ROUNDS; round += 1) {
  // Another one begins each time: who comes first after a pause is not always the same.
  const order = [...measured.slice(round % measured.length), ...measured.slice(0, round % measured.length)];
  for (const { url, full, cpu, controlPlane: pid } of order) {
    const before = await threadSeconds(pid);
    const result = await saturate(url, CONNECTIONS, SECONDS, wrk);
    full.push(result);
    cpu.push(((await threadSeconds(pid)) - before) * (1e6 / result.requests));
  }
  for (const { url, steady: rounds } of order) rounds.push(await steady(url, STEADY_PER_SECOND, SECONDS));
}
const load = `${wrk ? "wrk" : "Node"}, ${CONNECTIONS} connections, ${BODY_BYTES} bytes`;
printTable(`as many requests as come back (${load}; ${ROUNDS} rounds of ${SECONDS} s)`, fullRows());
printTable(`${STEADY_PER_SECOND} requests/s (Node)`, steadyRows());
printTable("processor time of the control plane for a decision, in the same rounds", cpuRows());
printTable("questions that went without a count", await errorRows());

interface Running {
  readonly pid: number;
  readonly mesh: Mesh;
  readonly metricsUrl: string;
}

async function controlPlane(name: string, env: Readonly<Record<string, string>>): Promise<Running> {
  const ports = await freePorts(3);
  await mkdir(join(folder, name));
  const server = new ControlPlaneProcess(join(folder, name), ports, env);
  cleanup.after(() => server.kill());
  await server.start();
  const { apiUrl, dpPort } = server;
  const mesh = new Mesh(cleanup, { apiUrl, dpPort, caPem: await server.caPem() }, join(folder, name));
  return { pid: server.pid, mesh, metricsUrl: `http://127.0.0.1:${ports[2]}/metrics` };
}

async function sidecar({ pid, mesh, metricsUrl }: Running, type: string, conf?: object, where = ""): Promise<Measured> {
  const app = `${type}${where}`.toLowerCase().replaceAll(/[^a-z]/g, "");
  const spec = { targetRef: { kind: "Dataplane", labels: { app } }, rules: [{ default: conf }] };
  if (conf !== undefined) await mesh.apply(JSON.stringify({ type, mesh: "default", name: app, spec }));
  const { inboundPort } = await mesh.sidecar({ name: app, labels: { app }, servicePort: applicationPort });
  const url = `http://127.0.0.1:${inboundPort}/`;
  const decisions = async () => {
    const text = await (await fetch(metricsUrl)).text();
    const of = (decision: string): number =>
      Number(new RegExp(`^rate_limit_decisions_total\\{decision="${decision}"\\} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
    return { ok: of("ok"), error: of("error") };
  };
  const isCounted = where !== "";
  await eventually(async () => assert.ok((await fetch(url)).ok, `no answer at ${url}`));
  if (isCounted) await eventually(async () => assert.ok((await decisions()).ok > 0, "nothing was counted"));
  const name = isCounted ? `${type}, ${where}` : type;
  return { name, url, controlPlane: pid, full: [], steady: [], cpu: [], ...(isCounted ? { decisions } : {}) };
}

/** The median over the rounds of what each came to, compared with MeshRateLimit in the same round. */
function against(one: readonly Round[], other: readonly Round[], pick: (round: Round) => number): number {
  return median(one.map((round, index) => pick(round) / pick(other[index] ?? round)));
}

function fullRows(): readonly Row[] {
  return measured.map(({ name, full }) => {
    const perSecond = median(full.map((round) => round.perSecond));
    const ratio = against(full, local.full, (round) => round.perSecond);
    const latency = `p50 ${figure(median(full.map(({ p50 }) => p50)))}, p99 ${figure(median(full.map(({ p99 }) => p99)))} ms`;
    return { measure: name, figure: `${figure(perSecond)}/s (${ratio.toFixed(2)} ×), ${latency}` };
  });
}

function steadyRows(): readonly Row[] {
  return measured.map(({ name, steady: rounds }) => {
    const p50 = median(rounds.map((round) => round.p50));
    const added = median(rounds.map((round, index) => round.p50 - (local.steady[index]?.p50 ?? Number.NaN)));
    const p99 = quantile(
      rounds.map((round) => round.p99),
      0.5,
    );
    const change = `${added >= 0 ? "+" : ""}${added.toFixed(2)}`;
    return { measure: name, figure: `p50 ${figure(p50)} (${change}), p99 ${figure(p99)} ms` };
  });
}

/** What one core could decide a second, had it nothing else to do. */
function cpuRows(): readonly Row[] {
  return [memory, redis].map(({ name, cpu }) => {
    const micros = median(cpu);
    return { measure: name, figure: `${figure(micros)} µs: ${figure(1e6 / micros)}/s by one core` };
  });
}

async function errorRows(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { name, decisions } of measured) {
    if (decisions === undefined) continue;
    const { ok, error } = await decisions();
    rows.push({ measure: name, figure: `${error} of ${ok + error}`, target: atMost(error, 0, "") });
  }
  return rows;
}
