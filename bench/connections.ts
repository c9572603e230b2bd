/**
 * What proxies that come and go leave behind, and what a herd that returns at once costs:
 * - 100,000 times a proxy connects over TLS, gets its first set, acknowledges it and goes, sixteen at a time; every tenth
 *   was never there before and is deleted afterwards. Memory, open files and handles must stay as they are.
 * - 5,000 connected proxies are cut off and return in the same moment, while newcomers come.
 * Run: `node bench/connections.ts [cycles] [proxies]`; 0 leaves one of them out. Half an hour for all of it.
 */
import { loadavg } from "node:os";
import { type CycleFigures, runCycles } from "./connections/cycles.ts";
import { type Footprint, startMeasured } from "./connections/footprint.ts";
import { type HerdFigures, runHerd } from "./connections/herd.ts";
import type { Server } from "./control-plane/server.ts";
import { atMost, machine, printTable, type Row } from "./support/report.ts";
import { spread } from "./support/statistics.ts";

for (const event of ["SIGINT", "SIGTERM"]) process.once(event, () => process.exit(1));

const [cycles = 100_000, proxies = 5_000] = process.argv.slice(2).map(Number);
console.log(`    ${machine()}`);
if (cycles > 0) await measured((server) => reportCycles(server, cycles));
if (proxies > 0) await measured((server) => reportHerd(server, proxies));

async function measured(work: (server: Server) => Promise<void>): Promise<void> {
  const server = await startMeasured();
  try {
    await work(server);
  } finally {
    await server.dispose();
  }
}

async function reportCycles(server: Server, wanted: number): Promise<void> {
  const figures = await runCycles(server, wanted, (done, found) =>
    console.error(`    ${done} cycles: ${line(found)}; load ${load()}`),
  );
  printTable(`${figures.cycles} times a proxy connected, got its first set and went`, cycleRows(figures));
}

function cycleRows({ cycles: done, seconds, cpuSeconds, footprints }: CycleFigures): readonly Row[] {
  return [
    {
      measure: "cycles a second",
      figure: `${(done / seconds).toFixed(0)} (${((cpuSeconds / done) * 1_000).toFixed(1)} ms of CPU each), load ${load()}`,
    },
    ...footprints.map((found, index) => ({
      measure: `after ${Math.round((done / 10) * (index + 1))}`,
      figure: line(found),
    })),
    ...growthRows(footprints),
  ];
}

/** Flat is what the last fifth holds against the second; the first is for what is made once, such as optimised code. */
function growthRows(footprints: readonly Footprint[]): readonly Row[] {
  if (footprints.length < 10) return [];
  const mean = (what: keyof Footprint, from: number): number =>
    footprints.slice(from, from + 2).reduce((sum, found) => sum + found[what], 0) / 2;
  const ratio = (what: "rss" | "heap"): Row => {
    const grown = mean(what, 8) / mean(what, 2);
    return {
      measure: `${what === "rss" ? "RSS" : what}, last fifth against the second`,
      figure: `${grown.toFixed(3)}x`,
      target: atMost(grown, 1.05, "x"),
    };
  };
  const more = (what: "files" | "handles"): Row => {
    const grown = mean(what, 8) - mean(what, 2);
    return { measure: `${what}, more than then`, figure: String(grown), target: atMost(grown, 5, "") };
  };
  return [ratio("rss"), ratio("heap"), more("files"), more("handles")];
}

/** Of the machine, over the last minute. */
function load(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}

function line({ rss, heap, files, handles, connected }: Footprint): string {
  return `RSS ${rss.toFixed(0)} MB, heap ${heap.toFixed(1)} MB, ${files} open files, ${handles} handles, ${connected} connected`;
}

async function reportHerd(server: Server, wanted: number): Promise<void> {
  const began = performance.now();
  const say = (step: string): void =>
    console.error(
      `    ${wanted} proxies, ${Math.round((performance.now() - began) / 1_000)} s, load ${load()}: ${step}`,
    );
  printTable(`${wanted} proxies return at once`, herdRows(await runHerd(server, wanted, say)));
}

function herdRows(figures: HerdFigures): readonly Row[] {
  const { steadyRss, peakRss, newcomers, eventLoopP99 } = figures;
  return [
    { measure: "all connected again", figure: `${(figures.connectedMillis / 1_000).toFixed(1)} s` },
    {
      measure: "all have acknowledged everything",
      figure: `${(figures.syncedMillis / 1_000).toFixed(1)} s (${figures.cpuSeconds.toFixed(1)} s of CPU)`,
    },
    {
      measure: "RSS: steady, peak, afterwards",
      figure: `${steadyRss.toFixed(0)}, ${peakRss.toFixed(0)}, ${figures.afterRss.toFixed(0)} MB`,
    },
    {
      measure: "  peak against steady",
      figure: `${(peakRss / steadyRss).toFixed(2)}x`,
      target: atMost(peakRss / steadyRss, 2, "x"),
    },
    {
      measure: "event loop",
      figure: `p99 of the worst second ${eventLoopP99.toFixed(0)} ms`,
      target: atMost(eventLoopP99, 100, "ms"),
    },
    {
      measure: `${newcomers.length} newcomers meanwhile, served within`,
      figure: spread(newcomers),
      target: atMost(Math.max(...newcomers), 2_000, "ms"),
    },
  ];
}
