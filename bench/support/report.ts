import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { styleText } from "node:util";

/** One line of a report: what was measured, the figure as people read it, and what was promised. */
export interface Row {
  readonly measure: string;
  readonly figure: string;
  readonly target?: Target;
}

/** A promise and whether this run kept it. */
export interface Target {
  readonly text: string;
  readonly met: boolean;
}

/** A promise of at most so much. */
export function atMost(value: number, limit: number, unit: string): Target {
  return { text: `≤ ${limit} ${unit}`.trim(), met: value <= limit };
}

/** A promise of at least so much. */
export function atLeast(value: number, limit: number, unit: string): Target {
  return { text: `≥ ${limit} ${unit}`.trim(), met: value >= limit };
}

/** Prints a table under a title, columns as wide as needed; says for each promise whether it was kept. */
export function printTable(title: string, rows: readonly Row[]): void {
  const width = (pick: (row: Row) => string): number => Math.max(0, ...rows.map((row) => pick(row).length));
  const measures = width(({ measure }) => measure);
  const figures = width(({ figure }) => figure);
  console.log(`\n${styleText("bold", title)}`);
  for (const { measure, figure, target } of rows) {
    const promise = target === undefined ? "" : `${target.text.padEnd(12)} ${verdict(target)}`;
    console.log(`  ${measure.padEnd(measures)}  ${figure.padEnd(figures)}  ${promise}`.trimEnd());
  }
}

function verdict({ met }: Target): string {
  return met ? styleText("green", "met") : styleText("red", "NOT met");
}

/** What a figure is worth nothing without: the machine and what else it was doing. */
export function machine(): string {
  const [one = 0] = loadavg();
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  const memory = Math.round(totalmem() / 1e9);
  return `${availableParallelism()} cores (${model}), ${memory} GB, Node ${process.versions.node}, load ${one.toFixed(1)} before`;
}
