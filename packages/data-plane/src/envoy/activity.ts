import type { AdminClient } from "./admin-client.ts";

/** What goes through a proxy at one moment. */
export interface Activity {
  /** HTTP requests under way, upgraded connections included. */
  readonly requests: number;
  /** Connections that are no HTTP: each of them may be in the middle of something. */
  readonly streams: number;
  /** All connections that applications and other proxies opened. */
  readonly connections: number;
}

const NAMES = String.raw`^(listener\..+\.downstream_cx_active|http\..+\.downstream_(cx|rq)_active)$`;
const COUNTERS = `/stats?filter=${encodeURIComponent(NAMES)}`;

/** Asks Envoy what goes through it; the admin interface itself does not count. */
export async function readActivity(admin: AdminClient): Promise<Activity> {
  const { text } = await admin.get(COUNTERS);
  return parseActivity(text);
}

/** Reads Envoy's `name: value` lines. */
export function parseActivity(stats: string): Activity {
  let [requests, http, connections] = [0, 0, 0];
  for (const line of stats.split("\n")) {
    const [, name = "", value = "0"] = /^(\S+): (\d+)$/.exec(line) ?? [];
    if (name.startsWith("http.admin.") || name.startsWith("listener.admin.") || name.includes(".worker_")) continue;
    if (name.endsWith(".downstream_rq_active")) requests += Number(value);
    else if (name.startsWith("http.")) http += Number(value);
    else if (name.startsWith("listener.")) connections += Number(value);
  }
  // TCP proxies have no gauge of their own.
  return { requests, streams: Math.max(0, connections - http), connections };
}
