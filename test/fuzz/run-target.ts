import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { randomFrom } from "./random.ts";
import type { Target } from "./target.ts";

export interface RunOptions {
  readonly seed: number;
  readonly inputs: number;
  /** Ends earlier than after all inputs. */
  readonly seconds?: number;
  /** Ends after so many findings. */
  readonly mostFindings?: number;
  /** So many times as long as usual may an input take: on machines that do other things at the same time. */
  readonly patience?: number;
  /** Whether memory is looked at: takes some thousand inputs to be told from warming up. */
  readonly watchMemory?: boolean;
}

/** An input that did what none may do. */
export interface Finding {
  readonly what: string;
  readonly input: Uint8Array;
}

export interface Report {
  readonly inputs: number;
  readonly seconds: number;
  readonly findings: readonly Finding[];
  /** The most time of the processor that one input took, in milliseconds. */
  readonly worstMillis: number;
  readonly heapBefore: number;
  readonly heapAfter: number;
  readonly rssBefore: number;
  readonly rssAfter: number;
  readonly handlesBefore: number;
  readonly handlesAfter: number;
}

/** No input may keep others waiting for longer. */
export const LONGEST_MILLIS = 50;
/** A heap that grows by more while thousands of inputs pass by holds on to them. */
const MOST_GROWTH = 16 * 1_048_576;

/** Gives a target so many inputs, and tells what went wrong. The same seed gives the same inputs. */
export async function runTarget(target: Target, options: RunOptions): Promise<Report> {
  const { seed, inputs, seconds = Infinity, mostFindings = 10, patience = 1 } = options;
  const random = randomFrom(seed);
  const findings: Finding[] = [];
  using escaped = watchEscapes();
  const warmUp = Math.floor(inputs / 3);
  const started = performance.now();
  let [done, worstMillis, before] = [0, 0, await measure(options.watchMemory)];
  for (; done < inputs && findings.length < mostFindings; done += 1) {
    if (done === warmUp) before = await measure(options.watchMemory);
    const input = target.make(random);
    const { what, millis } = await tryInput(target, input, { escaped, patience });
    worstMillis = Math.max(worstMillis, millis);
    if (what !== undefined) findings.push({ what, input });
    if (performance.now() - started > seconds * 1_000) break;
    // Servers on the other side, timers and collectors get their turn.
    if (done % 500 === 0) await turn();
  }
  const took = (performance.now() - started) / 1_000;
  const after = await measure(options.watchMemory);
  if (options.watchMemory && after.heap - before.heap > MOST_GROWTH) {
    findings.push({ what: `the heap grew from ${before.heap} to ${after.heap} bytes`, input: new Uint8Array() });
  }
  if (options.watchMemory && after.handles > before.handles + 5) {
    findings.push({ what: `handles grew from ${before.handles} to ${after.handles}`, input: new Uint8Array() });
  }
  return {
    inputs: done,
    seconds: took,
    findings,
    worstMillis,
    heapBefore: before.heap,
    heapAfter: after.heap,
    rssBefore: before.rss,
    rssAfter: after.rss,
    handlesBefore: before.handles,
    handlesAfter: after.handles,
  };
}

interface Tried {
  readonly what?: string;
  readonly millis: number;
}

interface Trying {
  readonly escaped: Escapes;
  readonly patience: number;
}

async function tryInput(target: Target, input: Uint8Array, { escaped, patience }: Trying): Promise<Tried> {
  const first = await once(target, input);
  if (first.what !== undefined) return first;
  const out = escaped.take();
  if (out !== undefined) return { what: `nobody caught: ${out}`, millis: first.millis };
  if (isPolluted()) return { what: "Object.prototype has got a property", millis: first.millis };
  const longestMillis = (target.longestMillis ?? LONGEST_MILLIS) * patience;
  if (first.millis <= longestMillis) return first;
  // A collector that ran just now, or code that was compiled: only what takes as long again is the input's doing.
  const again = [await once(target, input), await once(target, input), await once(target, input)];
  const millis = Math.min(first.millis, ...again.map((each) => each.millis));
  if (millis <= longestMillis) return { millis };
  return { what: `took ${millis.toFixed(0)} ms of the processor`, millis };
}

async function once(target: Target, input: Uint8Array): Promise<Tried> {
  const before = process.threadCpuUsage();
  let what: string | undefined;
  try {
    const running = target.run(input);
    if (running !== undefined) await running;
  } catch (error) {
    what = error instanceof Error ? (error.stack ?? error.message) : `threw ${String(error)}`;
  }
  const { user, system } = process.threadCpuUsage(before);
  const millis = (user + system) / 1_000;
  return what === undefined ? { millis } : { what, millis };
}

function isPolluted(): boolean {
  for (const _ in {}) return true;
  return Object.getOwnPropertyNames(Object.prototype).length !== OWN_NAMES;
}
const OWN_NAMES = Object.getOwnPropertyNames(Object.prototype).length;

interface Escapes extends Disposable {
  take(): string | undefined;
}

/** Hears of errors that nobody caught while it lives. */
function watchEscapes(): Escapes {
  let heard: string | undefined;
  const hear = (error: unknown): void => {
    heard = error instanceof Error ? (error.stack ?? error.message) : String(error);
  };
  process.on("uncaughtException", hear).on("unhandledRejection", hear);
  return {
    take: () => {
      const said = heard;
      heard = undefined;
      return said;
    },
    [Symbol.dispose]: () => void process.off("uncaughtException", hear).off("unhandledRejection", hear),
  };
}

async function measure(
  isWatched: boolean | undefined,
): Promise<{ readonly heap: number; readonly rss: number; readonly handles: number }> {
  for (let times = 0; isWatched === true && times < 3; times += 1) {
    await turn();
    collect();
  }
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  return { heap: heapUsed + arrayBuffers, rss, handles: process.getActiveResourcesInfo().length };
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
