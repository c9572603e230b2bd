const FACTORS: Readonly<Record<string, number>> = { kbps: 1, Mbps: 1_000, Gbps: 1_000_000 };
const BANDWIDTH = /^(\d{1,9}) ?(kbps|Mbps|Gbps)$/;

/**
 * Reads a bandwidth such as "50kbps" as what Envoy counts in: blocks of 1,024 bytes a second, one for each "kbps", as
 * Kuma does. Undefined when it is none, or zero.
 */
export function parseBandwidth(text: string): number | undefined {
  const [, digits = "0", unit = ""] = BANDWIDTH.exec(text) ?? [];
  const limit = Number(digits) * (FACTORS[unit] ?? 0);
  return limit > 0 ? limit : undefined;
}
