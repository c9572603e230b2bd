import { z } from "zod";
import type { Violation } from "../violation.ts";

const name = z.string().min(1).max(255).describe("Name of the backend, unique in the mesh");
const format = z.string().optional().describe("Envoy's format with %KUMA_...% words (a line for each request)");
const defaultBackend = z.string().optional().describe("The backend of those that name none");

/** Kuma 2.x: where TrafficLogs write to. */
export const loggingSchema = z.strictObject({
  defaultBackend,
  backends: z
    .array(
      z.discriminatedUnion("type", [
        z.strictObject({
          name,
          format,
          type: z.literal("file"),
          conf: z.strictObject({ path: z.string().min(1).describe("File of the proxy's machine") }),
        }),
        z.strictObject({
          name,
          format,
          type: z.literal("tcp"),
          conf: z.strictObject({ address: z.string().regex(/^.+:\d{1,5}$/, 'must be HOST:PORT, such as "logs:5000"') }),
        }),
      ]),
    )
    .optional(),
});

const sampling = z.number().min(0).max(100).optional().describe("Share of requests that are traced, in percent (100)");
const zipkinConf = z.strictObject({
  url: z
    .string()
    .regex(
      /^https?:\/\/[^/]+:\d{1,5}(\/.*)?$/,
      'must be a URL with its port, such as "http://zipkin:9411/api/v2/spans"',
    ),
  traceId128bit: z.boolean().optional(),
  apiVersion: z.enum(["httpJson", "httpJsonV1", "httpProto"]).optional().describe("(httpJson)"),
  sharedSpanContext: z.boolean().optional().describe("(true)"),
});
const datadogConf = z.strictObject({
  address: z.string().min(1).describe("Host of the agent"),
  port: z.int().min(1).max(65_535).describe("Port of the agent"),
  splitService: z.boolean().optional().describe("A service of its own for each direction (false)"),
});

/** Kuma 2.x: where TrafficTraces send spans to. */
export const tracingSchema = z.strictObject({
  defaultBackend,
  backends: z
    .array(
      z.discriminatedUnion("type", [
        z.strictObject({ name, sampling, type: z.literal("zipkin"), conf: zipkinConf }),
        z.strictObject({ name, sampling, type: z.literal("datadog"), conf: datadogConf }),
      ]),
    )
    .optional(),
});

interface Backends {
  readonly defaultBackend?: string | undefined;
  readonly backends?: readonly { readonly name: string }[] | undefined;
}

/** What is wrong with named backends: two of one name, or a default that is none of them. */
export function checkBackends({ defaultBackend: wanted, backends = [] }: Backends = {}, field: string): Violation[] {
  const names = backends.map((backend) => backend.name);
  const repeated = names.flatMap((each, index) =>
    names.indexOf(each) === index
      ? []
      : [{ field: `${field}.backends[${index}].name`, message: `must be unique: "${each}" is there already` }],
  );
  if (!wanted || names.includes(wanted)) return repeated;
  const known = names.join(", ") || "none is defined";
  const message = `must name one of ${field}.backends (${known}), not "${wanted}"`;
  return [...repeated, { field: `${field}.defaultBackend`, message }];
}
