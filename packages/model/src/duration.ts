import type { Parsed } from "./violation.ts";

const SECOND = 1_000;
const MILLIS_PER_UNIT: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: SECOND,
  m: 60 * SECOND,
  h: 3_600 * SECOND,
  d: 86_400 * SECOND,
  w: 7 * 86_400 * SECOND,
  y: 365 * 86_400 * SECOND,
};
const TERM = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w|y)/y;

/**
 * Reads a Go duration ("250ms", "1h30m", "0", "0s") as milliseconds. Days, weeks and years are accepted too, because
 * Kuma's `dpCert.rotation.expiration` uses them.
 * https://pkg.go.dev/time#ParseDuration
 */
export function parseDuration(raw: unknown, field: string): Parsed<number> {
  const millis = typeof raw === "string" ? millisOf(raw) : undefined;
  if (millis === undefined) {
    return {
      ok: false,
      violations: [
        {
          field,
          message: `must be a duration such as "5s" or "1h30m", not ${JSON.stringify(raw)}`,
        },
      ],
    };
  }
  return { ok: true, value: millis };
}

/** Milliseconds of a duration that its schema has checked already; undefined stays undefined: unset is not zero. */
export function toMillis(duration: string): number;
export function toMillis(duration: string | undefined): number | undefined;
export function toMillis(duration: string | undefined): number | undefined {
  if (duration === undefined) return undefined;
  const millis = millisOf(duration);
  if (millis === undefined) throw new RangeError(`Cannot read duration "${duration}": its schema let it through`);
  return millis;
}

/** Whether a text is a duration that `parseDuration` accepts. */
export function isDuration(raw: string): boolean {
  return millisOf(raw) !== undefined;
}

/** A duration as people write it, in whole units from days to milliseconds: "1h30m", "500ms", "0s". */
export function formatDuration(millis: number): string {
  let left = Math.round(millis);
  const parts = WRITTEN.flatMap((unit) => {
    const size = MILLIS_PER_UNIT[unit] ?? 1;
    const count = Math.floor(left / size);
    left -= count * size;
    return count === 0 ? [] : [`${count}${unit}`];
  });
  return parts.length === 0 ? "0s" : parts.join("");
}

const WRITTEN = ["d", "h", "m", "s", "ms"];

function millisOf(raw: string): number | undefined {
  if (raw === "0") return 0;
  // The cap keeps a hostile text of many megabytes from being scanned.
  if (raw === "" || raw.length > 64) return undefined;
  let total = 0;
  TERM.lastIndex = 0;
  while (TERM.lastIndex < raw.length) {
    const term = TERM.exec(raw);
    if (term === null) return undefined;
    total += Number(term[1]) * (MILLIS_PER_UNIT[term[2] ?? ""] ?? Number.NaN);
  }
  return total;
}
