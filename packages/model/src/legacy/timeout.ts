import { z } from "zod";
import { toMillis } from "../duration.ts";
import { duration } from "../schema.ts";
import type { Violation } from "../violation.ts";
import { clientSide, compact, legacyKind } from "./legacy-kind.ts";
import { checkClientSide, connectionShape } from "./selector.ts";

const streams = {
  streamIdleTimeout: duration().optional().describe("Without a byte in either direction on a request; off when unset"),
  maxStreamDuration: duration().optional().describe("Life of a request or stream; off when unset"),
};
const idleTimeout = duration().optional().describe("Without traffic on a connection; off when unset");
const confSchema = z.strictObject({
  connectTimeout: duration().optional().describe("To establish a connection (5s)"),
  tcp: z.strictObject({ idleTimeout }).optional().describe("Where bytes are only moved"),
  http: z
    .strictObject({
      requestTimeout: duration().optional().describe("From the whole request to the whole response; off when unset"),
      idleTimeout,
      ...streams,
    })
    .optional()
    .describe("Where requests are read"),
  grpc: z.strictObject(streams).optional().describe("Superseded by http"),
});
type Conf = z.infer<typeof confSchema>;

/** Kuma 2.x: how long requests to a service may take. */
export const timeout = legacyKind({
  type: "Timeout",
  path: "timeouts",
  shortName: "t",
  singular: "Timeout",
  plural: "Timeouts",
  schema: z.strictObject({ ...connectionShape, conf: confSchema.describe("The timeouts") }),
  check: (spec) => [...checkClientSide(spec), ...checkConf(spec.conf)],
  legacy: {
    becomes: ["MeshTimeout"],
    side: "client",
    choice: "one",
    translate: (spec, { name }) => ({
      policies: clientSide(spec, { name, type: "MeshTimeout", item: { default: timeoutsOf(spec.conf) } }),
      notes: notesOn(spec.conf),
    }),
  },
});

// What a Timeout does not set is off, and what a MeshTimeout does not set has a default; only the life of a stream has
// none, and Envoy forgets the timeout of requests on a route that sets it (RouteAction.max_stream_duration).
function timeoutsOf({ connectTimeout = "5s", tcp, http, grpc }: Conf): object {
  return {
    connectionTimeout: connectTimeout,
    idleTimeout: http?.idleTimeout ?? tcp?.idleTimeout ?? "0s",
    http: compact({
      requestTimeout: http?.requestTimeout ?? "0s",
      streamIdleTimeout: http?.streamIdleTimeout ?? grpc?.streamIdleTimeout ?? "0s",
      maxStreamDuration: moreThanZero(http?.maxStreamDuration) ?? moreThanZero(grpc?.maxStreamDuration),
    }),
  };
}

function moreThanZero(duration: string | undefined): string | undefined {
  return duration === undefined || toMillis(duration) === 0 ? undefined : duration;
}

function notesOn({ tcp, http, grpc }: Conf): readonly string[] {
  return [
    ...differs("idleTimeout", ["http", http?.idleTimeout], ["tcp", tcp?.idleTimeout]),
    ...differs("streamIdleTimeout", ["http", http?.streamIdleTimeout], ["grpc", grpc?.streamIdleTimeout]),
    ...differs("maxStreamDuration", ["http", http?.maxStreamDuration], ["grpc", grpc?.maxStreamDuration]),
  ];
}

type Said = readonly [protocol: string, value: string | undefined];

function differs(field: string, [first, kept]: Said, [second, lost]: Said): readonly string[] {
  if (kept === undefined || lost === undefined || toMillis(kept) === toMillis(lost)) return [];
  return [
    `conf.${second}.${field}: a MeshTimeout has one ${field} for all protocols, and conf.${first}.${field} (${kept}) was taken`,
  ];
}

function checkConf(conf: Conf): readonly Violation[] {
  if (Object.values(conf).every((value) => value === undefined)) {
    return [{ field: "conf", message: "must set at least one of connectTimeout, tcp, http, grpc" }];
  }
  if (conf.connectTimeout === undefined || toMillis(conf.connectTimeout) > 0) return [];
  return [{ field: "conf.connectTimeout", message: "must be more than zero: no connection is made in no time" }];
}
