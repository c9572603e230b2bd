import { isHttp } from "@heddle/engine/emit/common.ts";
import type { Change, HttpFilter } from "@heddle/engine/plan/plan.ts";
import { definePolicy } from "@heddle/engine/policy.ts";
import { any } from "@heddle/envoy/any.ts";
import {
  RBACPerRouteSchema,
  RBACSchema as HttpRbacSchema,
} from "@heddle/envoy/gen/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import { RBACSchema as NetworkRbacSchema } from "@heddle/envoy/gen/envoy/extensions/filters/network/rbac/v3/rbac_pb.js";
import { explainAccess } from "./explain.ts";
import { NOBODY, type Rules, rulesFor } from "./rbac.ts";
import { type ActionConf, meshTrafficPermissionKind, type PermissionConf } from "./schema.ts";
import { verdictsOf } from "./verdicts.ts";

/** Who may call a port. With mutual TLS, whom no permission means is denied; without, nobody can be told apart. */
export const meshTrafficPermission = definePolicy<never, PermissionConf | ActionConf>({
  kind: meshTrafficPermissionKind,
  keepsRulesApart: true,
  explainAccess,
  inbound: (rules, { key, protocol, tls }) => {
    if (tls === undefined) return {};
    const decided = rulesFor(verdictsOf(rules, tls));
    return isHttp(protocol) ? onRoutes(decided) : onConnections(decided, key);
  },
});

const HTTP_FILTER = "envoy.filters.http.rbac";

// The filter in the listener never changes and lets nobody pass; who may, stands in the routes. A new permission drains
// no connection that way, and a route that should lack its rules stays shut.
const CLOSED: HttpFilter = { stage: "authorize", name: HTTP_FILTER, config: any(HttpRbacSchema, { rules: NOBODY }) };

function onRoutes(decided: Rules): Change {
  const rbac = { ...decided, trackPerRuleStats: true };
  return {
    httpFilters: [CLOSED],
    route: { filters: { [HTTP_FILTER]: any(RBACPerRouteSchema, { rbac }) } },
  };
}

function onConnections(decided: Rules, key: string): Change {
  const config = any(NetworkRbacSchema, { ...decided, statPrefix: `${key}.` });
  return { networkFilters: [{ stage: "authorize", name: "envoy.filters.network.rbac", config }] };
}
