import type { Report } from "./run-target.ts";

const MEBI = 1_048_576;

/** One line: how many inputs how fast, what was found, the slowest, and what stayed in memory. */
export function describeReport(name: string, report: Report): string {
  const { inputs, seconds, findings, worstMillis } = report;
  const mebi = (bytes: number): string => (bytes / MEBI).toFixed(0);
  return [
    `${name.padEnd(24)} ${String(inputs).padStart(8)} inputs ${(inputs / seconds).toFixed(0).padStart(6)}/s`,
    `${findings.length} findings`,
    `slowest ${worstMillis.toFixed(1)} ms`,
    `heap ${mebi(report.heapBefore)} → ${mebi(report.heapAfter)} MiB`,
    `RSS ${mebi(report.rssBefore)} → ${mebi(report.rssAfter)} MiB`,
    `handles ${report.handlesBefore} → ${report.handlesAfter}`,
  ].join("  ");
}
