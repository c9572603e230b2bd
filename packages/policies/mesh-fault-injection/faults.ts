import type { HttpFilter, RouteSettings } from "@heddle/engine/plan/plan.ts";
import { any } from "@heddle/envoy/any.ts";
import { duration } from "@heddle/envoy/duration.ts";
import { HTTPFaultSchema } from "@heddle/envoy/gen/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { fractionalPercent } from "@heddle/envoy/percent.ts";
import { toMillis } from "@heddle/model/duration.ts";
import { parseBandwidth } from "./bandwidth.ts";
import type { Fault } from "./schema.ts";

type Config = HttpFilter["config"];

// Envoy would make statistics for every name that a caller writes into a header.
const COMMON = { disableDownstreamClusterStats: true } as const;
const INERT: Config = any(HTTPFaultSchema, COMMON);

/** So many filters that do nothing by themselves: a filter of Envoy has one fault only. */
export function inertFilters(count: number): readonly HttpFilter[] {
  return Array.from({ length: count }, (_, index) => ({ stage: "fault", name: filterName(index), config: INERT }));
}

/** Faults for a route of a listener with so many filters; those that are left do nothing. */
export function faultsOnRoute(faults: readonly Fault[], count: number): RouteSettings {
  const filters = Array.from({ length: count }, (_, index): [string, Config] => {
    const fault = faults[index];
    return [filterName(index), fault === undefined ? INERT : filterConfig(fault)];
  });
  return { filters: Object.fromEntries(filters) };
}

// Filters of one stage run in the order of their names, faults in the order they are written in.
function filterName(index: number): string {
  return index === 0 ? "envoy.filters.http.fault" : `envoy.filters.http.fault.${String(index + 1).padStart(2, "0")}`;
}

function filterConfig({ abort, delay, responseBandwidth }: Fault): Config {
  return any(HTTPFaultSchema, {
    ...COMMON,
    ...(abort === undefined
      ? {}
      : {
          abort: {
            errorType: { case: "httpStatus", value: abort.httpStatus },
            percentage: fractionalPercent(Number(abort.percentage)),
          },
        }),
    ...(delay === undefined
      ? {}
      : {
          delay: {
            faultDelaySecifier: { case: "fixedDelay", value: duration(toMillis(delay.value)) },
            percentage: fractionalPercent(Number(delay.percentage)),
          },
        }),
    ...(responseBandwidth === undefined
      ? {}
      : {
          responseRateLimit: {
            limitType: {
              case: "fixedLimit",
              value: { limitKbps: BigInt(parseBandwidth(responseBandwidth.limit) ?? 1) },
            },
            percentage: fractionalPercent(Number(responseBandwidth.percentage)),
          },
        }),
  });
}
