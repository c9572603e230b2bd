import { isHttp } from "@heddle/engine/emit/common.ts";
import type { Change, Retry, RetryCondition, TextMatch } from "@heddle/engine/plan/plan.ts";
import { definePolicy } from "@heddle/engine/policy.ts";
import { toMillis } from "@heddle/model/duration.ts";
import { type GrpcRetryConf, type HeaderConf, type HttpRetryConf, meshRetryKind, type RetryConf } from "./schema.ts";

/** When and how requests, or connections where no requests are read, are tried again. */
export const meshRetry = definePolicy<RetryConf, never>({
  kind: meshRetryKind,
  outbound: ({ tcp, http, grpc }, { protocol }): Change => {
    if (!isHttp(protocol)) return { connection: { connectAttempts: tcp?.maxConnectAttempt } };
    if (protocol === "grpc") return { route: { retry: grpc && grpcRetry(grpc) } };
    return { route: { retry: http && httpRetry(http) } };
  },
});

// Kuma's words for the reasons, and Envoy's.
const REASONS: Readonly<Record<string, RetryCondition>> = {
  "5xx": "5xx",
  "5XX": "5xx",
  GatewayError: "gateway-error",
  Reset: "reset",
  Retriable4xx: "retriable-4xx",
  ConnectFailure: "connect-failure",
  EnvoyRatelimited: "envoy-ratelimited",
  RefusedStream: "refused-stream",
  Http3PostConnectFailure: "http3-post-connect-failure",
  Canceled: "cancelled",
  DeadlineExceeded: "deadline-exceeded",
  Internal: "internal",
  ResourceExhausted: "resource-exhausted",
  Unavailable: "unavailable",
};
const HTTP_DEFAULT: readonly RetryCondition[] = ["gateway-error", "connect-failure", "refused-stream"];
const GRPC_DEFAULT: readonly RetryCondition[] = [
  "cancelled",
  "connect-failure",
  "gateway-error",
  "refused-stream",
  "reset",
  "resource-exhausted",
  "unavailable",
];
const METHOD = "HttpMethod";

function grpcRetry(conf: GrpcRetryConf): Retry {
  const on = conditions(conf.retryOn ?? []);
  const reasons = on.length > 0 ? on : GRPC_DEFAULT;
  return { ...pace(conf), on: reasons, statuses: [], responseHeaders: [], requestHeaders: [], omit: [] };
}

function httpRetry(conf: HttpRetryConf): Retry {
  const { retryOn = [], retriableRequestHeaders = [], retriableResponseHeaders = [] } = conf;
  const on = conditions(retryOn);
  const statuses = retryOn.filter((reason) => /^\d{3}$/.test(reason)).map(Number);
  const responseHeaders = retriableResponseHeaders.map(headerMatch);
  return {
    ...pace(conf),
    ...hosts(conf),
    // Statuses and headers come on top of these three, and methods narrow them down, as in Kuma.
    on: on.length > 0 ? on : HTTP_DEFAULT,
    statuses,
    responseHeaders,
    requestHeaders: [...methods(retryOn), ...retriableRequestHeaders.map(headerMatch)],
  };
}

function conditions(retryOn: readonly string[]): readonly RetryCondition[] {
  return [...new Set(retryOn.flatMap((reason) => REASONS[reason] ?? []))];
}

function methods(retryOn: readonly string[]): Retry["requestHeaders"] {
  const named = retryOn.filter((reason) => reason.startsWith(METHOD));
  return named.map((reason) => ({
    name: ":method",
    type: "Exact",
    value: reason.slice(METHOD.length).toUpperCase(),
  }));
}

function headerMatch({ type = "Exact", name, value = "" }: HeaderConf): TextMatch & { readonly name: string } {
  return type === "Present" || type === "Absent" ? { type, name } : { type, name, value };
}

function pace(
  conf: HttpRetryConf | GrpcRetryConf,
): Pick<Retry, "times" | "perTryTimeout" | "backOff" | "rateLimitedBackOff"> {
  const { numRetries, perTryTimeout, rateLimitedBackOff } = conf;
  return {
    times: numRetries,
    perTryTimeout: toMillis(perTryTimeout),
    backOff: conf.backOff && backOff(conf.backOff),
    rateLimitedBackOff: rateLimitedBackOff && {
      headers: rateLimitedBackOff.resetHeaders,
      max: toMillis(rateLimitedBackOff.maxInterval),
    },
  };
}

// Two policies may set one interval each: Envoy would refuse a longest wait below the first one.
function backOff({ baseInterval = "25ms", maxInterval }: NonNullable<HttpRetryConf["backOff"]>): Retry["backOff"] {
  const base = toMillis(baseInterval);
  const max = toMillis(maxInterval);
  return { base, max: max === undefined ? undefined : Math.max(base, max) };
}

function hosts({
  hostSelection = [],
  hostSelectionMaxAttempts,
}: HttpRetryConf): Pick<Retry, "omit" | "omitPreviousPriorities" | "hostAttempts"> {
  const priorities = hostSelection.find(({ predicate }) => predicate === "OmitPreviousPriorities");
  return {
    omit: hostSelection.flatMap(({ predicate, tags = {} }): Retry["omit"] => {
      if (predicate === "OmitPreviousHosts") return ["PreviousHosts"];
      return predicate === "OmitHostsWithTags" ? [{ tags }] : [];
    }),
    omitPreviousPriorities: priorities && (priorities.updateFrequency ?? 2),
    hostAttempts: hostSelectionMaxAttempts,
  };
}
