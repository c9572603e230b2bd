import { toMillis } from "@heddle/model/duration.ts";
import { whyNotRe2 } from "@heddle/model/regular-expression.ts";
import type { Violation } from "@heddle/model/violation.ts";
import type { GrpcRetryConf, HeaderConf, HttpRetryConf, RetryConf } from "./schema.ts";

/** What is wrong with retries whose every field is right. */
export function checkConf({ tcp, http, grpc }: RetryConf, field: string): readonly Violation[] {
  if (tcp === undefined && http === undefined && grpc === undefined) {
    return [{ field, message: "must have at least one of tcp, http, grpc" }];
  }
  return [
    ...(http === undefined ? [] : [...checkCommon(http, `${field}.http`), ...checkHttp(http, `${field}.http`)]),
    ...(grpc === undefined ? [] : checkCommon(grpc, `${field}.grpc`)),
  ];
}

/** What retries for the requests of a route say without effect. */
export function warnForRoute({ tcp }: RetryConf, field: string): readonly Violation[] {
  if (tcp === undefined) return [];
  return [{ field: `${field}.tcp`, message: "has no effect on a MeshHTTPRoute, which has requests, not connections" }];
}

function checkCommon(conf: HttpRetryConf | GrpcRetryConf, field: string): readonly Violation[] {
  if (isEmpty(conf)) return [{ field, message: "must set at least one field, such as numRetries: 5" }];
  const { backOff, rateLimitedBackOff } = conf;
  if (backOff !== undefined && isEmpty(backOff)) {
    return [{ field: `${field}.backOff`, message: 'must set at least one interval, such as baseInterval: "25ms"' }];
  }
  return [
    ...aboveZero(backOff?.baseInterval, `${field}.backOff.baseInterval`),
    ...aboveZero(backOff?.maxInterval, `${field}.backOff.maxInterval`),
    ...aboveZero(rateLimitedBackOff?.maxInterval, `${field}.rateLimitedBackOff.maxInterval`),
    ...checkOrder(backOff, `${field}.backOff.maxInterval`),
  ];
}

function checkOrder({ baseInterval, maxInterval }: HttpRetryConf["backOff"] & {} = {}, field: string): Violation[] {
  if (baseInterval === undefined || maxInterval === undefined || toMillis(baseInterval) <= toMillis(maxInterval))
    return [];
  return [{ field, message: `must be at least baseInterval, which is ${baseInterval}` }];
}

function aboveZero(interval: string | undefined, field: string): Violation[] {
  if (interval === undefined || toMillis(interval) > 0) return [];
  return [{ field, message: 'must be more than zero, such as "25ms"' }];
}

function checkHttp(http: HttpRetryConf, field: string): readonly Violation[] {
  const { retriableResponseHeaders = [], retriableRequestHeaders = [] } = http;
  return [
    ...retriableResponseHeaders.flatMap((each, at) => checkHeader(each, `${field}.retriableResponseHeaders[${at}]`)),
    ...retriableRequestHeaders.flatMap((each, at) => checkHeader(each, `${field}.retriableRequestHeaders[${at}]`)),
    ...checkHosts(http, `${field}.hostSelection`),
  ];
}

function checkHeader({ type = "Exact", value }: HeaderConf, field: string): readonly Violation[] {
  if (type === "Present" || type === "Absent") {
    return value === undefined ? [] : [{ field: `${field}.value`, message: `must not be set with type ${type}` }];
  }
  if (value === undefined) return [{ field: `${field}.value`, message: `must be set with type ${type}` }];
  const message = type === "RegularExpression" ? whyNotRe2(value) : undefined;
  return message === undefined ? [] : [{ field: `${field}.value`, message }];
}

function checkHosts({ hostSelection = [] }: HttpRetryConf, field: string): readonly Violation[] {
  const priorities = hostSelection.filter(({ predicate }) => predicate === "OmitPreviousPriorities");
  return [
    ...hostSelection.flatMap((each, at) => checkHost(each, `${field}[${at}]`)),
    ...(priorities.length > 1 ? [{ field, message: "must have OmitPreviousPriorities at most once" }] : []),
  ];
}

function checkHost(
  { predicate, tags, updateFrequency }: (HttpRetryConf["hostSelection"] & {})[number],
  field: string,
): readonly Violation[] {
  const needsTags = predicate === "OmitHostsWithTags";
  return [
    ...(needsTags && Object.keys(tags ?? {}).length === 0
      ? [{ field: `${field}.tags`, message: "must have at least one tag with OmitHostsWithTags" }]
      : []),
    ...(!needsTags && tags !== undefined
      ? [{ field: `${field}.tags`, message: `must not be set with ${predicate}` }]
      : []),
    // Kuma writes the field into every predicate that it gives out, as 0 or 2, so with others it is let be.
    ...(predicate === "OmitPreviousPriorities" && updateFrequency === 0
      ? [{ field: `${field}.updateFrequency`, message: `must be at least 1 with ${predicate}` }]
      : []),
  ];
}

function isEmpty(fields: object): boolean {
  return Object.values(fields).every((value) => value === undefined);
}
