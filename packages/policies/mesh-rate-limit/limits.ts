import type { Init } from "@heddle/engine/emit/common.ts";
import { headerOptions } from "@heddle/engine/emit/header-options.ts";
import type { HttpFilter, NetworkFilter } from "@heddle/engine/plan/plan.ts";
import { any } from "@heddle/envoy/any.ts";
import { duration } from "@heddle/envoy/duration.ts";
import { LocalRateLimitSchema as HttpLimitSchema } from "@heddle/envoy/gen/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js";
import { LocalRateLimitSchema as NetworkLimitSchema } from "@heddle/envoy/gen/envoy/extensions/filters/network/local_ratelimit/v3/local_rate_limit_pb.js";
import type { TokenBucketSchema } from "@heddle/envoy/gen/envoy/type/v3/token_bucket_pb.js";
import { runtimePercent } from "@heddle/envoy/percent.ts";
import { toMillis } from "@heddle/model/duration.ts";
import type { HttpLimit, Rate } from "./schema.ts";

type Config = HttpFilter["config"];

/** The HTTP filter that counts requests. */
export const HTTP_FILTER = "envoy.filters.http.local_ratelimit";

/** Its configuration in a listener: without a limit. */
export const INERT: Config = any(HttpLimitSchema, { statPrefix: "rate_limit" });

// For a route Envoy asks for a bucket, even though requests only take from it where the filter is enabled.
const UNLIMITED: Config = any(HttpLimitSchema, {
  statPrefix: "rate_limit",
  tokenBucket: { maxTokens: 1, tokensPerFill: 1, fillInterval: duration(1_000) },
});

/** Whether requests are counted at all: a limit without a rate limits nothing. */
export function isLimit({ disabled = false, requestRate }: HttpLimit): boolean {
  return !disabled && requestRate !== undefined;
}

/** Its configuration for a route. */
export function limited(limit: HttpLimit): Config {
  const { requestRate, onRateLimit = {} } = limit;
  if (requestRate === undefined || !isLimit(limit)) return UNLIMITED;
  const { headers = {} } = onRateLimit;
  return any(HttpLimitSchema, {
    statPrefix: "rate_limit",
    ...(onRateLimit.status === undefined ? {} : { status: { code: onRateLimit.status } }),
    tokenBucket: bucketOf(requestRate),
    filterEnabled: runtimePercent(100),
    filterEnforced: runtimePercent(100),
    responseHeadersToAdd: headerOptions({ set: headers.set ?? [], add: headers.add ?? [] }),
  });
}

/** The network filter that counts connections of an inbound; all chains of its listener count together. */
export function networkFilter(rate: Rate, key: string): NetworkFilter {
  const config = any(NetworkLimitSchema, {
    statPrefix: "tcp_rate_limit",
    tokenBucket: bucketOf(rate),
    shareKey: key,
  });
  return { stage: "limit", name: "envoy.filters.network.local_ratelimit", config };
}

function bucketOf({ num, interval }: Rate): Init<typeof TokenBucketSchema> {
  return { maxTokens: num, tokensPerFill: num, fillInterval: duration(toMillis(interval)) };
}
