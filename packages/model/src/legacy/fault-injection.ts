import { z } from "zod";
import { toMillis } from "../duration.ts";
import { LABEL } from "../labels.ts";
import { duration } from "../schema.ts";
import type { Violation } from "../violation.ts";
import { compact, legacyKind, numbered, topOf } from "./legacy-kind.ts";
import { checkSelectors, type Connections, connectionShape, rankOf, type Selector, targetOf } from "./selector.ts";

const percentage = z.number().min(0).max(100);
const confSchema = z.strictObject({
  delay: z
    .strictObject({
      percentage: percentage.describe("Share of the requests that are held back"),
      value: duration().describe("How long"),
    })
    .optional()
    .describe("Holds requests back"),
  abort: z
    .strictObject({
      percentage: percentage.describe("Share of the requests that are answered so"),
      httpStatus: z.int().min(200).max(599).describe("Status of the answer"),
    })
    .optional()
    .describe("Answers requests in place of the application"),
  responseBandwidth: z
    .strictObject({
      percentage: percentage.describe("Share of the responses that are slowed down"),
      limit: z.string().max(32).describe('How much passes in a second: "50 kbps", "10 mbps"'),
    })
    .optional()
    .describe("Slows responses down"),
});
type Conf = z.infer<typeof confSchema>;

/** Kuma 2.x: what goes wrong on purpose with the requests that a service gets. */
export const faultInjection = legacyKind({
  type: "FaultInjection",
  path: "fault-injections",
  shortName: "fi",
  singular: "Fault Injection",
  plural: "Fault Injections",
  schema: z.strictObject({ ...connectionShape, conf: confSchema.describe("The faults") }),
  check: (spec) => [...checkBothSides(spec), ...checkConf(spec.conf)],
  legacy: {
    becomes: ["MeshFaultInjection"],
    side: "server",
    choice: "all",
    translate: ({ sources, destinations, conf }, { name }) => ({
      policies: destinations.map((destination, index) => ({
        type: "MeshFaultInjection",
        name: numbered(name, index),
        spec: {
          ...topOf(destination),
          from: sources.map((source) => ({ targetRef: targetOf(source), default: { http: [faultOf(conf)] } })),
        },
        rank: rankOf(destination),
        itemRanks: sources.map(rankOf),
      })),
      notes: [...sources.flatMap(noteOn), ...bandwidthNotes(conf)],
    }),
  },
});

function faultOf({ delay, abort, responseBandwidth }: Conf): object {
  return compact({
    abort: abort && { ...abort, percentage: percentOf(abort.percentage) },
    delay: delay && { ...delay, percentage: percentOf(delay.percentage) },
    responseBandwidth: responseBandwidth && {
      limit: limitOf(responseBandwidth.limit),
      percentage: percentOf(responseBandwidth.percentage),
    },
  });
}

function percentOf(share: number): number | string {
  return Number.isInteger(share) ? share : String(Number(share.toFixed(4)));
}

const BANDWIDTH = /^(\d{1,12})\s*([gmk]?)bps$/i;
const UNITS: Readonly<Record<string, string>> = { k: "kbps", m: "Mbps", g: "Gbps" };

// Today's smallest unit is a thousand bits.
function limitOf(text: string): string {
  const [, digits = "0", prefix = ""] = BANDWIDTH.exec(text) ?? [];
  const unit = UNITS[prefix.toLowerCase()];
  return unit === undefined ? `${Math.max(1, Math.round(Number(digits) / 1_000))}kbps` : `${Number(digits)}${unit}`;
}

function bandwidthNotes({ responseBandwidth }: Conf): readonly string[] {
  const limit = responseBandwidth?.limit ?? "";
  const isBits = /^\d+\s*bps$/i.test(limit);
  return isBits ? [`conf.responseBandwidth.limit: ${limit} is ${limitOf(limit)}: today's smallest unit is kbps`] : [];
}

function noteOn({ match }: Selector, index: number): readonly string[] {
  if (Object.values(match).every((value) => value === "*")) return [];
  return [
    `sources[${index}].match: callers are told apart by their certificates, so that mutual TLS has to be on; of several policies that mean a caller only the most specific counts`,
  ];
}

function checkBothSides({ sources, destinations }: Connections): readonly Violation[] {
  const wrong = [
    ...checkSelectors(sources, "sources", { service: true }),
    ...checkSelectors(destinations, "destinations", { service: true }),
  ];
  return wrong.length > 0
    ? wrong
    : [...checkProtocols(sources, "sources"), ...checkProtocols(destinations, "destinations")];
}

// Faults are made of requests, so they need a protocol that has some.
function checkProtocols(selectors: readonly Selector[], field: string): readonly Violation[] {
  return selectors.flatMap(({ match }, index) => {
    const protocol = match[LABEL.protocol];
    if (protocol === undefined || ["http", "http2", "grpc", "*"].includes(protocol)) return [];
    const at = `${field}[${index}].match["${LABEL.protocol}"]`;
    return [{ field: at, message: `must be one of http, http2, grpc, not "${protocol}"` }];
  });
}

function checkConf({ delay, abort, responseBandwidth }: Conf): readonly Violation[] {
  if (delay === undefined && abort === undefined && responseBandwidth === undefined) {
    return [{ field: "conf", message: "must have at least one of delay, abort, responseBandwidth" }];
  }
  const wrong: Violation[] = [];
  if (delay !== undefined && toMillis(delay.value) === 0) {
    wrong.push({ field: "conf.delay.value", message: "must be more than zero; leave the delay out for none" });
  }
  if (responseBandwidth !== undefined && !/[1-9]/.test(BANDWIDTH.exec(responseBandwidth.limit)?.[1] ?? "")) {
    const { limit } = responseBandwidth;
    const message = `must be a number of bps, kbps, mbps or gbps, such as "50 mbps", not ${JSON.stringify(limit)}`;
    wrong.push({ field: "conf.responseBandwidth.limit", message });
  }
  return wrong;
}
