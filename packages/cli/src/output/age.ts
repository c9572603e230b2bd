const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1],
] as const;

/** How long ago a time was, in its largest whole unit: "12s", "5m", "3h", "40d". Undefined for no or an unreadable time. */
export function age(time: string | undefined, now: Date): string | undefined {
  const then = millisOf(time);
  return then === undefined ? undefined : span(Math.max(0, now.getTime() - then));
}

/** How far ahead a time lies: "in 23h"; "4m ago" once it has passed. */
export function ahead(time: string | undefined, now: Date): string | undefined {
  const then = millisOf(time);
  if (then === undefined) return undefined;
  const millis = then - now.getTime();
  return millis >= 0 ? `in ${span(millis)}` : `${span(-millis)} ago`;
}

/** A time span in words for results: "12 ms", "0.21 s", "3 m 5 s". */
export function elapsed(millis: number): string {
  if (millis < 100) return `${Math.max(0, Math.round(millis))} ms`;
  if (millis < 60_000) return `${(millis / 1_000).toFixed(millis < 10_000 ? 2 : 1)} s`;
  const seconds = Math.round(millis / 1_000);
  return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
}

function span(millis: number): string {
  const seconds = Math.floor(millis / 1_000);
  const [unit, size] = UNITS.find(([, each]) => seconds >= each) ?? ["s", 1];
  return `${Math.floor(seconds / size)}${unit}`;
}

function millisOf(time: string | undefined): number | undefined {
  const millis = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(millis) ? undefined : millis;
}
