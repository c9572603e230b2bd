import { errorStatus } from "@heddle/model/error-status.ts";
import { duration, stringMap } from "@heddle/model/schema.ts";
import { z } from "zod";

const timeout = () =>
  duration().optional().describe("How long an answer may take; the lack of one is a failure (200ms)");
const tls = () =>
  z
    .strictObject({
      caCertificate: z
        .string()
        .max(65_536)
        .optional()
        .describe("Authorities that its certificate is from, PEM (those that the proxy's machine trusts)"),
    })
    .optional();
const headers = (what: string) => z.array(z.string().min(1).max(256)).max(128).optional().describe(what);

const grpcSchema = z.strictObject({
  target: z.string().min(1).max(512).describe("host:port of a service that speaks envoy.service.auth.v3"),
  tls: tls().describe("Talk to it over TLS, checked against its host name (plain text)"),
  timeout: timeout(),
  allowedHeaders: headers('Headers of the request that it gets, "x-user-*" being all that start so (all headers)'),
});
/** An authorisation service that speaks gRPC. */
export type GrpcService = z.infer<typeof grpcSchema>;

const httpSchema = z.strictObject({
  url: z.string().min(1).max(512).describe("Where it is: http or https, a host and a port"),
  tls: tls().describe("With https: whom to trust"),
  timeout: timeout(),
  pathPrefix: z.string().max(1_024).optional().describe("Comes before the request's own path when it is asked"),
  allowedHeaders: headers(
    'Headers of the request that it gets beside Host and Authorization, "x-user-*" being all that start so (no others)',
  ),
  headersToUpstream: headers("Headers of its answer that the application gets, in place of the caller's own (none)"),
  headersToDownstream: headers("Headers of its denial that the caller gets (all)"),
});
/** An authorisation service that speaks HTTP. */
export type HttpService = z.infer<typeof httpSchema>;

const bodySchema = z.strictObject({
  maxBytes: z.int().min(1).max(10_485_760).describe("How much of it; requests with more are answered with 413"),
  allowPartial: z.boolean().optional().describe("Send so much of a longer one, instead of that answer (false)"),
});
/** How much of a request's body the service sees. */
export type IncludeBody = z.infer<typeof bodySchema>;

export const extAuthzSchema = z.strictObject({
  enabled: z.boolean().optional().describe("Whether requests are asked about, once a service is named (true)"),
  grpc: grpcSchema.optional().describe("The service that decides, over gRPC"),
  http: httpSchema.optional().describe("The service that decides, over HTTP: 200 lets the request pass"),
  failureMode: z
    .enum(["Deny", "Allow"])
    .optional()
    .describe("What becomes of requests while it does not answer, or answers with an error (Deny)"),
  statusOnError: errorStatus()
    .optional()
    .describe("Status of the answer to a request that is denied for that reason (403)"),
  includeBody: bodySchema.optional().describe("The service sees the body of requests, too"),
  contextExtensions: stringMap().optional().describe("Words for the service that come with every question (gRPC only)"),
});
/** Who decides about requests. An absent field leaves what a weaker policy says. */
export type ExtAuthzConf = z.infer<typeof extAuthzSchema>;

export const itemSchema = z.strictObject({ default: extAuthzSchema.describe("Who decides") });
