import { any } from "@heddle/envoy/any.ts";
import type { FilterSchema } from "@heddle/envoy/gen/envoy/config/listener/v3/listener_components_pb.js";
import type {
  HeaderMatcherSchema,
  RouteMatchSchema,
} from "@heddle/envoy/gen/envoy/config/route/v3/route_components_pb.js";
import { ConfigSchema as SetFilterStateSchema } from "@heddle/envoy/gen/envoy/extensions/filters/network/set_filter_state/v3/set_filter_state_pb.js";
import type { Match } from "@heddle/model/target-ref.ts";
import type { Init } from "./common.ts";

/** The part of a route's match that looks at the caller. */
export type CallerMatch = Required<Pick<Init<typeof RouteMatchSchema>, "headers" | "filterState">>;

/** Matches every caller. */
export const ANY_CALLER: CallerMatch = { headers: [], filterState: [] };

const SERVER_NAME = "heddle.requested_server_name";

/** Recognises the requests of a caller. Any one of the results is enough. */
export function callerMatches({ spiffeID, sni }: Match): readonly CallerMatch[] {
  const filterState: CallerMatch["filterState"] =
    sni === undefined
      ? []
      : [
          {
            key: SERVER_NAME,
            matcher: { case: "stringMatch", value: { matchPattern: { case: "exact", value: sni.value } } },
          },
        ];
  if (spiffeID === undefined) return [{ headers: [], filterState }];
  return certificateHeaders(spiffeID).map((header) => ({ headers: [header], filterState }));
}

/** A match for requests that both matches mean. */
export function bothCallers(a: CallerMatch, b: CallerMatch): CallerMatch {
  return { headers: [...a.headers, ...b.headers], filterState: [...a.filterState, ...b.filterState] };
}

/** Remembers the server name for routes to match; routes cannot see it otherwise. */
export function rememberServerName(): Init<typeof FilterSchema> {
  const config = any(SetFilterStateSchema, {
    onNewConnection: [
      {
        key: { case: "objectKey", value: SERVER_NAME },
        factoryKey: "envoy.string",
        value: {
          case: "formatString",
          value: {
            format: {
              case: "textFormatSource",
              value: { specifier: { case: "inlineString", value: "%REQUESTED_SERVER_NAME%" } },
            },
          },
        },
      },
    ],
  });
  return { name: "envoy.filters.network.set_filter_state", configType: { case: "typedConfig", value: config } };
}

// The proxy itself writes this header from the verified certificate, before it picks a route, and removes what a caller
// sent: "By=…;Hash=…;URI=<first>;URI=<second>". A name ends at ";" or with the header.
function certificateHeaders({ type, value }: NonNullable<Match["spiffeID"]>): Init<typeof HeaderMatcherSchema>[] {
  if (type === "Prefix") return [certificateHeader("contains", `;URI=${value}`)];
  return [certificateHeader("contains", `;URI=${value};`), certificateHeader("suffix", `;URI=${value}`)];
}

function certificateHeader(how: "contains" | "suffix", value: string): Init<typeof HeaderMatcherSchema> {
  return {
    name: "x-forwarded-client-cert",
    headerMatchSpecifier: { case: "stringMatch", value: { matchPattern: { case: how, value } } },
  };
}
