import { httpUrl } from "@heddle/engine/emit/collector.ts";
import { toMillis } from "@heddle/model/duration.ts";
import { checkModifier } from "@heddle/model/header-modifier.ts";
import type { Rate } from "@heddle/model/rate-limit-schema.ts";
import type { Violation } from "@heddle/model/violation.ts";
import type { GlobalRateLimitConf, OnRequest } from "./schema.ts";

/** What is wrong with limits whose every field is right by itself. */
export function checkConf(conf: GlobalRateLimitConf, field: string): Violation[] {
  const { http, mode, backend } = conf;
  if (http === undefined && mode === undefined && backend === undefined) {
    return [{ field, message: "must have http, mode or backend" }];
  }
  return [
    ...(http === undefined ? [] : checkHttp(http, `${field}.http`)),
    ...(backend === undefined ? [] : checkService(backend.rateLimitService, `${field}.backend.rateLimitService`)),
  ];
}

type Http = NonNullable<GlobalRateLimitConf["http"]>;

function checkHttp({ disabled, requestRate, ratelimitOnRequest, onRateLimit }: Http, field: string): Violation[] {
  if (![disabled, requestRate, ratelimitOnRequest, onRateLimit].some((each) => each !== undefined)) {
    return [{ field, message: "must have disabled, requestRate, ratelimitOnRequest or onRateLimit" }];
  }
  const headers = onRateLimit?.headers;
  return [
    ...(requestRate === undefined ? [] : checkRate(requestRate, `${field}.requestRate`)),
    ...(ratelimitOnRequest ?? []).flatMap((each, index) =>
      checkOnRequest(each, `${field}.ratelimitOnRequest[${index}]`),
    ),
    ...checkNames(ratelimitOnRequest ?? [], `${field}.ratelimitOnRequest`),
    ...(headers === undefined ? [] : checkModifier(headers, `${field}.onRateLimit.headers`)),
  ];
}

const HEADER_NAME = /^:?[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

function checkOnRequest({ name, limits }: OnRequest, field: string): Violation[] {
  const values = limits.map(({ value }) => value);
  return [
    ...(HEADER_NAME.test(name) ? [] : [{ field: `${field}.name`, message: "must be a header's name" }]),
    ...limits.flatMap(({ requestRate }, index) => checkRate(requestRate, `${field}.limits[${index}].requestRate`)),
    ...values.flatMap((value, index) =>
      values.indexOf(value) === index ? [] : [{ field: `${field}.limits[${index}].value`, message: once(value) }],
    ),
  ];
}

function checkNames(list: readonly OnRequest[], field: string): Violation[] {
  const names = list.map(({ name }) => name.toLowerCase());
  return names.flatMap((name, index) =>
    names.indexOf(name) === index ? [] : [{ field: `${field}[${index}].name`, message: once(name) }],
  );
}

function once(text: string): string {
  return `must be unique: "${text}" is there already`;
}

const SHORTEST_MILLIS = 1_000;

// Control planes that share their counts agree on windows by their clocks, which are not the same to the millisecond.
function checkRate({ interval }: Rate, field: string): Violation[] {
  if (toMillis(interval) >= SHORTEST_MILLIS) return [];
  return [{ field: `${field}.interval`, message: `must be at least 1s, not "${interval}"` }];
}

type Service = NonNullable<GlobalRateLimitConf["backend"]>["rateLimitService"];

function checkService({ url, timeout, limitOnServiceFail }: Service, field: string): Violation[] {
  if (url === undefined && timeout === undefined && limitOnServiceFail === undefined) {
    return [{ field, message: "must have url, timeout or limitOnServiceFail" }];
  }
  const isWrong = url !== undefined && httpUrl(url)?.path !== "/";
  return [
    ...(isWrong
      ? [{ field: `${field}.url`, message: 'must be a URL without a path, such as "http://ratelimit.internal:8081"' }]
      : []),
    ...(timeout !== undefined && toMillis(timeout) <= 0
      ? [{ field: `${field}.timeout`, message: `must be more than 0s, not "${timeout}"` }]
      : []),
  ];
}
