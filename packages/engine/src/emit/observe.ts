import type { MessageInitShape } from "@bufbuild/protobuf";
import { any } from "@heddle/envoy/any.ts";
import type {
  AccessLogFilterSchema,
  AccessLogSchema,
} from "@heddle/envoy/gen/envoy/config/accesslog/v3/accesslog_pb.js";
import { ExpressionFilterSchema } from "@heddle/envoy/gen/envoy/extensions/access_loggers/filters/cel/v3/cel_pb.js";
import type { HttpConnectionManager_TracingSchema } from "@heddle/envoy/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { CustomTagSchema } from "@heddle/envoy/gen/envoy/type/tracing/v3/custom_tag_pb.js";
import type { Match } from "@heddle/model/target-ref.ts";
import type { AccessLog } from "../plan/plan.ts";
import type { Tracing, TracingTag } from "../plan/tracing.ts";
import { type Init, present } from "./common.ts";

/** A line for each request or connection, or for some of them. */
export function emitAccessLog({ name, config, callers, routes }: AccessLog): Init<typeof AccessLogSchema> {
  const conditions = [
    ...(callers === undefined ? [] : [sentBy(callers)]),
    ...(routes === undefined ? [] : [takes(routes)]),
  ];
  return {
    name,
    configType: { case: "typedConfig", value: config },
    ...(conditions.length === 0 ? {} : { filter: expression(conditions.join(" && ")) }),
  };
}

// An expression in the Common Expression Language, over what Envoy knows of a request:
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes
function expression(text: string): MessageInitShape<typeof AccessLogFilterSchema> {
  const value = {
    name: "envoy.access_loggers.extension_filters.cel",
    configType: { case: "typedConfig", value: any(ExpressionFilterSchema, { expression: text }) },
  } as const;
  return { filterSpecifier: { case: "extensionFilter", value } };
}

function sentBy(callers: NonNullable<AccessLog["callers"]>): string {
  return `(${callers.map(isCaller).join(" || ")})`;
}

function isCaller({ spiffeID, sni }: Match): string {
  const uri = "connection.uri_san_peer_certificate";
  const parts = [
    ...(spiffeID?.type === "Exact" ? [`${uri} == ${literal(spiffeID.value)}`] : []),
    ...(spiffeID?.type === "Prefix" ? [`${uri}.startsWith(${literal(spiffeID.value)})`] : []),
    ...(sni === undefined ? [] : [`connection.requested_server_name == ${literal(sni.value)}`]),
  ];
  return parts.join(" && ");
}

function takes(routes: NonNullable<AccessLog["routes"]>): string {
  if ("only" in routes) return `xds.route_name in ${list(routes.only)}`;
  return `!(xds.route_name in ${list(routes.except)})`;
}

function list(names: readonly string[]): string {
  return `[${names.map(literal).join(", ")}]`;
}

// Every escape that JSON writes means the same there.
function literal(text: string): string {
  return JSON.stringify(text);
}

/** Spans of the requests that a listener takes. */
export function emitTracing(tracing: Tracing): Init<typeof HttpConnectionManager_TracingSchema> {
  const { provider, clientSampling, randomSampling, overallSampling, tags } = tracing;
  const share = (value: number | undefined) => (value === undefined ? undefined : { value });
  return {
    provider: { name: provider.name, configType: { case: "typedConfig", value: provider.config } },
    ...present({
      clientSampling: share(clientSampling),
      randomSampling: share(randomSampling),
      overallSampling: share(overallSampling),
    }),
    customTags: tags.map(emitTag),
  };
}

function emitTag(tag: TracingTag): Init<typeof CustomTagSchema> {
  if ("literal" in tag) return { tag: tag.tag, type: { case: "literal", value: { value: tag.literal } } };
  const { header, default: fallback = "" } = tag;
  return { tag: tag.tag, type: { case: "requestHeader", value: { name: header, defaultValue: fallback } } };
}
