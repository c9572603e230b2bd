import { toMillis } from "@heddle/model/duration.ts";
import { policyKind } from "@heddle/model/policy-kind.ts";
import { duration } from "@heddle/model/schema.ts";
import type { Violation } from "@heddle/model/violation.ts";
import { z } from "zod";

const httpSchema = z.strictObject({
  requestTimeout: duration().optional().describe("From the whole request to the whole response (15s); 0 for no limit"),
  streamIdleTimeout: duration()
    .optional()
    .describe("Without a byte in either direction on a request (30m); 0 for no limit"),
  maxStreamDuration: duration().optional().describe("Life of a request or stream, whatever it does; 0 for no limit"),
  maxConnectionDuration: duration().optional().describe("Life of a connection, whatever it does; 0 for no limit"),
  requestHeadersTimeout: duration()
    .optional()
    .describe("From the first to the last byte of the request's headers; 0 for no limit"),
});

export const timeoutSchema = z.strictObject({
  connectionTimeout: duration().optional().describe("To establish a connection (5s)"),
  idleTimeout: duration()
    .optional()
    .describe("Without requests, or without bytes where no requests are read, on a connection (1h); 0 for no limit"),
  http: httpSchema.optional().describe("Where requests are read: protocols http, http2 and grpc"),
});
/** How long things may take. Durations as written; an absent one leaves what a weaker policy or the default says. */
export type TimeoutConf = z.infer<typeof timeoutSchema>;

const item = z.strictObject({ default: timeoutSchema.describe("The timeouts") });
const destinations = ["Mesh", "MeshService", "MeshExternalService", "MeshMultiZoneService", "MeshHTTPRoute"] as const;
const legacy = { to: ["Mesh", "MeshExternalService"], from: [] } as const;

/** The kind MeshTimeout. */
export const meshTimeoutKind = policyKind({
  type: "MeshTimeout",
  path: "meshtimeouts",
  shortName: "mt",
  singular: "Mesh Timeout",
  plural: "Mesh Timeouts",
  targets: ["Mesh", "Dataplane", "MeshSubset", "MeshService", "MeshServiceSubset", "MeshGateway", "MeshHTTPRoute"],
  to: {
    targets: destinations,
    item,
    check: (each, field, top) => [
      ...checkConf(each.default, `${field}.default`),
      ...(top.kind === "MeshHTTPRoute"
        ? onlyFields(each.default, TOP_ROUTE_FIELDS, `${field}.default`, OF_A_ROUTE)
        : []),
    ],
    warn: (each, field, top) => {
      const forRoute = each.targetRef.kind === "MeshHTTPRoute" || top.kind === "MeshHTTPRoute";
      return forRoute ? warnForRoute(each.default, `${field}.default`) : [];
    },
  },
  from: { targets: ["Mesh"], item, check: (each, field) => checkConf(each.default, `${field}.default`) },
  rules: {
    matches: true,
    item,
    check: (each, field) => [
      ...checkConf(each.default, `${field}.default`),
      ...((each.matches?.length ?? 0) > 0
        ? onlyFields(each.default, CALLER_FIELDS, `${field}.default`, "for some callers only")
        : []),
    ],
  },
  under: { MeshGateway: legacy, MeshHTTPRoute: legacy },
});

// A connection carries the requests of many routes and is there before the first request: only what Envoy decides for
// each request can depend on the route or on the caller.
const ROUTE_FIELDS = ["http.requestTimeout", "http.streamIdleTimeout", "http.maxStreamDuration"];
// Kuma lets this one pass there; it says nothing about a route either.
const TOP_ROUTE_FIELDS = [...ROUTE_FIELDS, "http.requestHeadersTimeout"];
const OF_A_ROUTE = "for a MeshHTTPRoute";
const CALLER_FIELDS = ["http.requestTimeout", "http.streamIdleTimeout"];

function checkConf(conf: TimeoutConf, field: string): Violation[] {
  const { http } = conf;
  const set = settings(conf);
  if (set.length === 0) {
    const where = http === undefined ? field : `${field}.http`;
    return [{ field: where, message: 'must set at least one timeout, such as http.requestTimeout: "15s"' }];
  }
  if (conf.connectionTimeout !== undefined && toMillis(conf.connectionTimeout) === 0) {
    return [
      { field: `${field}.connectionTimeout`, message: "must be more than zero: no connection is made in no time" },
    ];
  }
  return [];
}

function onlyFields(conf: TimeoutConf, allowed: readonly string[], field: string, why: string): Violation[] {
  return settings(conf)
    .filter((name) => !allowed.includes(name))
    .map((name) => ({
      field: `${field}.${name}`,
      message: `must not be set ${why}; it may set ${allowed.join(", ")}`,
    }));
}

function warnForRoute(conf: TimeoutConf, field: string): Violation[] {
  return settings(conf)
    .filter((name) => !ROUTE_FIELDS.includes(name))
    .map((name) => ({
      field: `${field}.${name}`,
      message: `has no effect on a MeshHTTPRoute; ${ROUTE_FIELDS.join(", ")} have`,
    }));
}

/** The timeouts that are set, by path. */
function settings({ http = {}, ...connection }: TimeoutConf): string[] {
  return [...present(connection), ...present(http).map((name) => `http.${name}`)];
}

function present(fields: object): string[] {
  return Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [name]));
}
