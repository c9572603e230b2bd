import { memoryOf, openFiles } from "../support/process-figures.ts";
import { median } from "../support/statistics.ts";

const EVERY_MILLIS = 5_000;
/** Before this share of the time has passed, things are still warming up. */
const WARM = 0.2;

/** What a process held while it warmed up no more, and at the end: medians of a fifth of the time each. */
export interface Held {
  readonly name: string;
  /** Megabytes. */
  readonly rss: { readonly start: number; readonly end: number; readonly peak: number };
  readonly files: { readonly start: number; readonly end: number; readonly peak: number };
}

interface Sample {
  readonly rss: number;
  readonly files: number;
}

/** Looks every five seconds at what some processes hold, until it is stopped. A process that is away is left out. */
export function watchProcesses(pids: Readonly<Record<string, () => number>>): () => readonly Held[] {
  const samples = new Map(Object.keys(pids).map((name) => [name, [] as Sample[]]));
  const look = async (): Promise<void> => {
    for (const [name, pid] of Object.entries(pids)) {
      const sample = await sampleOf(pid()).catch(() => undefined);
      if (sample !== undefined) samples.get(name)?.push(sample);
    }
  };
  const timer = setInterval(() => void look(), EVERY_MILLIS);
  return () => {
    clearInterval(timer);
    return [...samples].map(([name, taken]) => ({
      name,
      rss: course(taken.map(({ rss }) => rss)),
      files: course(taken.map(({ files }) => files)),
    }));
  };
}

async function sampleOf(pid: number): Promise<Sample> {
  const [{ rss }, files] = await Promise.all([memoryOf(pid), openFiles(pid)]);
  return { rss, files };
}

function course(values: readonly number[]): Held["rss"] {
  const fifth = Math.max(1, Math.floor(values.length * WARM));
  return {
    start: median(values.slice(fifth, 2 * fifth)),
    end: median(values.slice(-fifth)),
    peak: Math.max(...values),
  };
}
