const NAMES = ["tests", "suites", "pass", "fail", "cancelled", "skipped", "todo"] as const;

/** The figures that node:test closes with. */
export type Counts = Readonly<Record<(typeof NAMES)[number], number>>;

/** Before anything ran. */
export const NOTHING: Counts = { tests: 0, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };

/** Reads the closing lines of a TAP report: "# tests 12", "# pass 12". Those of a report that was cut off are zero. */
export function countsOf(tap: string): Counts {
  const found = NAMES.map((name) => [name, Number(new RegExp(`^# ${name} (\\d+)$`, "m").exec(tap)?.[1] ?? 0)]);
  return Object.fromEntries(found) as Counts;
}

/** The sum over several files. */
export function addCounts(a: Counts, b: Counts): Counts {
  return Object.fromEntries(NAMES.map((name) => [name, a[name] + b[name]])) as Counts;
}

/** The same closing lines again, for all files together. */
export function closingLines(counts: Counts, seconds: number): string {
  const lines = NAMES.map((name) => `# ${name} ${counts[name]}`);
  return [...lines, `# duration_ms ${Math.round(seconds * 1_000)}`].join("\n");
}
