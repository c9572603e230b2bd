import type { AccessLogSchema } from "@heddle/envoy/gen/envoy/config/accesslog/v3/accesslog_pb.js";
import type { HttpConnectionManager_TracingSchema } from "@heddle/envoy/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { CustomTagSchema } from "@heddle/envoy/gen/envoy/type/tracing/v3/custom_tag_pb.js";
import type { AccessLog, Tracing, TracingTag } from "../plan/plan.ts";
import { type Init, present } from "./common.ts";

/** A line for each request or connection. */
export function emitAccessLog({ name, config }: AccessLog): Init<typeof AccessLogSchema> {
  return { name, configType: { case: "typedConfig", value: config } };
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
