import { toMillis } from "@heddle/model/duration.ts";
import type { Match, TargetRef } from "@heddle/model/target-ref.ts";
import type { Violation } from "@heddle/model/violation.ts";
import { checkModifier } from "@heddle/model/header-modifier.ts";
import type { HttpLimit, Rate, RateLimitConf, TcpLimit } from "./schema.ts";

/** What is wrong with limits whose every field is right by itself. */
export function checkConf({ local }: RateLimitConf, field: string): Violation[] {
  if (local === undefined) return [{ field: `${field}.local`, message: "must be set: it has the limits" }];
  const { http, tcp } = local;
  if (http === undefined && tcp === undefined) {
    return [{ field: `${field}.local`, message: "must have http or tcp" }];
  }
  return [
    ...(http === undefined ? [] : checkHttp(http, `${field}.local.http`)),
    ...(tcp === undefined ? [] : checkTcp(tcp, `${field}.local.tcp`)),
  ];
}

/** What is wrong with limits for some callers only, or for a port that no sidecar has. */
export function checkCallersConf(
  { local }: RateLimitConf,
  matches: readonly Match[],
  field: string,
  top: TargetRef,
): Violation[] {
  const violations: Violation[] = [];
  if (top.kind === "MeshGateway" || top.kind === "MeshHTTPRoute") {
    violations.push({ field, message: `must not be set when targetRef.kind is ${top.kind}: it takes to` });
  }
  // A connection is counted before anything is known of who makes it.
  if (matches.length > 0 && local?.tcp !== undefined) {
    violations.push({
      field: `${field}.default.local.tcp`,
      message: "must not be set for some callers only; it may set local.http",
    });
  }
  return violations;
}

function checkHttp({ disabled, requestRate, onRateLimit }: HttpLimit, field: string): Violation[] {
  if (disabled === undefined && requestRate === undefined && onRateLimit === undefined) {
    return [{ field, message: "must have disabled, requestRate or onRateLimit" }];
  }
  const headers = onRateLimit?.headers;
  return [
    ...checkRate(requestRate, `${field}.requestRate`),
    ...(headers === undefined ? [] : checkModifier(headers, `${field}.onRateLimit.headers`)),
  ];
}

function checkTcp({ disabled, connectionRate }: TcpLimit, field: string): Violation[] {
  if (disabled === undefined && connectionRate === undefined) {
    return [{ field, message: "must have disabled or connectionRate" }];
  }
  return checkRate(connectionRate, `${field}.connectionRate`);
}

const SHORTEST_INTERVAL = 50;

// Envoy fills no faster than every 50 ms, and Kuma asks for more than that.
function checkRate(rate: Rate | undefined, field: string): Violation[] {
  if (rate === undefined || toMillis(rate.interval) > SHORTEST_INTERVAL) return [];
  return [{ field: `${field}.interval`, message: `must be more than 50ms, not "${rate.interval}"` }];
}
