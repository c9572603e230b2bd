/**
 * What two sidecars cost a request: straight to the application, through a hand-written minimal pair of Envoys with mutual
 * TLS (HTTP/2 and HTTP/1.1 between them), and through Heddle's pair, in turns, so that whatever else the machine does falls
 * on all alike. Ratios are medians over the rounds of what stood side by side. Everything has one worker.
 * Run: `node bench/data-path.ts [rounds]`, default 7; `wrk` makes the load when it is installed.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasWrk, type Round, saturate, steady } from "./data-path/load.ts";
import { direct, heddlePair, minimalPair, type Path } from "./data-path/paths.ts";
import { freePorts } from "../test/support/free-ports.ts";
import { TYPICAL_POLICIES } from "./data-path/typical-policies.ts";
import { Cleanup } from "./support/cleanup.ts";
import { memoryOf, threadSeconds } from "./support/process-figures.ts";
import { atLeast, atMost, printTable, type Row } from "./support/report.ts";
import { figure, median } from "./support/statistics.ts";

const ROUNDS = Number(process.argv[2] ?? 7);
const SECONDS = 2;
const CONNECTIONS = 16;
const STEADY_PER_SECOND = 1_000;
const BODY_BYTES = 1_024;

interface Measured {
  readonly path: Path;
  readonly full: Round[];
  readonly steady: Round[];
  /** Processor time of both sidecars for one request, in microseconds: one figure for each full round. */
  readonly cpu: number[];
}

const wrk = await hasWrk();
await using cleanup = new Cleanup();
const folder = await mkdtemp(join(tmpdir(), "heddle-bench-"));
cleanup.after(() => rm(folder, { recursive: true, force: true }));
const application = await direct(cleanup, folder, BODY_BYTES);
const applicationPort = application.port;
const minimal = await minimalPair(cleanup, folder, { between: "http2", applicationPort });
const others = [
  application,
  await minimalPair(cleanup, folder, { between: "http1", applicationPort }),
  await heddlePair(cleanup, folder, { applicationPort }),
  await typicalPair(),
];
const reference: Measured = { path: minimal, full: [], steady: [], cpu: [] };
const measured = [reference, ...others.map((path): Measured => ({ path, full: [], steady: [], cpu: [] }))];
for (const { path } of measured) await saturate(path.url, CONNECTIONS, 1, wrk);
for (let round = 0; round < ROUNDS; round += 1) {
  // Another one begins each time: who comes first after a pause is not always the same.
  const order = [...measured.slice(round % measured.length), ...measured.slice(0, round % measured.length)];
  for (const { path, full, cpu } of order) {
    const before = await used(path);
    const result = await saturate(path.url, CONNECTIONS, SECONDS, wrk);
    full.push(result);
    cpu.push(((await used(path)) - before) / result.requests);
  }
  for (const { path, steady: rounds } of order) rounds.push(await steady(path.url, STEADY_PER_SECOND, SECONDS));
}
const load = `${wrk ? "wrk" : "Node"}, ${CONNECTIONS} connections, ${BODY_BYTES} bytes`;
printTable(`as many requests as come back (${load}; ${ROUNDS} rounds of ${SECONDS} s)`, fullRows());
printTable("processor time of both sidecars a request, in the same rounds", cpuRows());
printTable(`${STEADY_PER_SECOND} requests/s (Node)`, steadyRows());
printTable("memory of a whole sidecar, RSS after the load", await memoryRows());

/** The same with the policies that many meshes have, in a folder of its own. */
async function typicalPair(): Promise<Path> {
  const own = await mkdtemp(join(tmpdir(), "heddle-bench-"));
  cleanup.after(() => rm(own, { recursive: true, force: true }));
  // Both sidecars have one address here, so metrics are asked for at the port of whichever opened it first.
  const [port = 0] = await freePorts(1);
  const policies = TYPICAL_POLICIES.map((each) => each.replace("METRICS_PORT", String(port)));
  return heddlePair(cleanup, own, { applicationPort, beside: { name: "Heddle's pair, typical policies", policies } });
}

function fullRows(): readonly Row[] {
  return measured.map((each) => {
    const throughput = ratio(each.full, reference.full, ({ perSecond }) => perSecond);
    const tail = ratio(each.full, reference.full, ({ p99 }) => p99);
    const text = `${of(each.full, "perSecond").toFixed(0)}/s (${throughput.toFixed(3)}x), ${times(each.full)} (p99 ${tail.toFixed(2)}x)`;
    const met = atLeast(throughput, 0.97, "x").met && atMost(tail, 1.05, "x").met;
    return row(each, text, { text: "≥ 0.97x, p99 ≤ 1.05x", met });
  });
}

function cpuRows(): readonly Row[] {
  return measured
    .filter(({ path }) => path !== application)
    .map(({ path, cpu }) => {
      const against = median(cpu.map((each, index) => each / (reference.cpu[index] ?? each)));
      return { measure: path.name, figure: `${figure(median(cpu))} µs (${against.toFixed(3)}x)` };
    });
}

async function used(path: Path): Promise<number> {
  const seconds = await Promise.all((await path.sidecars()).flat().map(threadSeconds));
  return seconds.reduce((sum, each) => sum + each, 0) * 1e6;
}

function steadyRows(): readonly Row[] {
  return measured.map((each) => {
    const middle = ratio(each.steady, reference.steady, ({ p50 }) => p50);
    const tail = ratio(each.steady, reference.steady, ({ p99 }) => p99);
    const text = `${times(each.steady)} (p50 ${middle.toFixed(2)}x, p99 ${tail.toFixed(2)}x)`;
    return row(each, text, { text: "p99 ≤ 1.05x", met: tail <= 1.05 });
  });
}

async function memoryRows(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { path } of measured) {
    for (const [index, processes] of (await path.sidecars()).entries()) {
      const sizes = await Promise.all(processes.map(async (pid) => (await memoryOf(pid)).rss));
      const sum = sizes.reduce((total, size) => total + size, 0);
      const heaviestFirst = sizes.toSorted((a, b) => b - a).map((size) => size.toFixed(1));
      const parts = sizes.length > 1 ? ` (${heaviestFirst.join(" + ")})` : "";
      const side = index === 0 ? "server's side" : "client's side";
      rows.push({
        measure: `${path.name}, ${side}`,
        figure: `${sum.toFixed(1)} MB${parts}`,
        ...(isHeddle(path) ? { target: atMost(sum, 100, "MB") } : {}),
      });
    }
  }
  return rows;
}

function row({ path }: Measured, text: string, target: NonNullable<Row["target"]>): Row {
  return { measure: path.name, figure: text, ...(isHeddle(path) ? { target } : {}) };
}

function isHeddle({ name }: Path): boolean {
  return name.startsWith("Heddle");
}

function times(rounds: readonly Round[]): string {
  return `p50 ${figure(of(rounds, "p50"))}, p99 ${figure(of(rounds, "p99"))} ms`;
}

function of(rounds: readonly Round[], key: keyof Round): number {
  return median(rounds.map((each) => each[key]));
}

/** The median over the rounds of one against the other in the same round. */
function ratio(some: readonly Round[], against: readonly Round[], pick: (round: Round) => number): number {
  return median(some.map((each, index) => pick(each) / pick(against[index] ?? each)));
}
