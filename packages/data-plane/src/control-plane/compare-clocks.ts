import { formatDuration } from "@heddle/model/duration.ts";

/** Certificates begin five minutes before they are issued, so clocks may differ by that much; docs/guide/mtls-backends.md. */
const TOLERATED = 300_000;

/**
 * What to say when this machine's clock is not the control plane's; undefined while the difference does no harm. `date`
 * is the Date header of an answer that came just now.
 */
export function clockWarning(date: string | undefined, now: Date): string | undefined {
  const ahead = now.getTime() - Date.parse(date ?? "");
  if (Number.isNaN(ahead) || Math.abs(ahead) <= TOLERATED) return undefined;
  const by = formatDuration(Math.round(Math.abs(ahead) / 1_000) * 1_000);
  const harm =
    ahead < 0
      ? `new certificates of other proxies are not valid yet for this one, and its requests fail until the clocks meet`
      : `certificates of other proxies end ${by} early for this one, and its requests fail then`;
  return `CLOCKS DIFFER: this machine's is ${by} ${ahead < 0 ? "behind" : "ahead of"} the control plane's (${now.toISOString()} here): ${harm}. Set it right, such as with NTP`;
}
