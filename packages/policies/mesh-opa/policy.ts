import type { Change } from "@heddle/engine/plan/plan.ts";
import { definePolicy } from "@heddle/engine/policy.ts";
import { any } from "@heddle/envoy/any.ts";
import { duration } from "@heddle/envoy/duration.ts";
import { ApiVersion } from "@heddle/envoy/gen/envoy/config/core/v3/config_source_pb.js";
import {
  ExtAuthzPerRouteSchema,
  ExtAuthzSchema,
} from "@heddle/envoy/gen/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js";
import { toMillis } from "@heddle/model/duration.ts";
import { OPA_CLUSTER, OPA_CONTEXT, type OpaBundle } from "@heddle/model/opa-agent.ts";
import { agentCluster } from "./agent-cluster.ts";
import { parseAgentConfig } from "./agent-config.ts";
import { textOf } from "./check.ts";
import { meshOpaKind } from "./kind.ts";
import type { OpaConf } from "./schema.ts";

/** Policies in Rego decide about requests that come in, by an agent beside each proxy. */
export const meshOpa = definePolicy<never, never, OpaConf>({
  kind: meshOpaKind,
  proxy: ({ value }, proxy) => {
    if ((value.appendPolicies ?? []).length === 0) return {};
    return { inbounds: askAgent(value), resources: [agentCluster(proxy)] };
  },
});

const FILTER = "envoy.filters.http.ext_authz.opa";
const TIMEOUT_MILLIS = 1_000;

// What is decided by stands in the routes, so that it changes at once and drains no connection.
function askAgent(conf: OpaConf): Change {
  const { statusOnError, onAgentFailure = "Deny", requestBody, timeout } = conf.authConfig ?? {};
  const config = any(ExtAuthzSchema, {
    services: {
      case: "grpcService",
      value: {
        targetSpecifier: { case: "envoyGrpc", value: { clusterName: OPA_CLUSTER, authority: "opa" } },
        timeout: duration(timeout === undefined ? TIMEOUT_MILLIS : toMillis(timeout)),
      },
    },
    transportApiVersion: ApiVersion.V3,
    failureModeAllow: onAgentFailure === "Allow",
    ...(statusOnError === undefined ? {} : { statusOnError: { code: statusOnError } }),
    validateMutations: true,
    statPrefix: "opa",
  });
  const withRequestBody = requestBody && {
    maxRequestBytes: requestBody.maxSize,
    allowPartialMessage: true,
    packAsBytes: requestBody.sendRawBody ?? false,
  };
  const value = {
    contextExtensions: { [OPA_CONTEXT]: JSON.stringify(bundleOf(conf)) },
    ...(withRequestBody === undefined ? {} : { withRequestBody }),
  };
  return {
    httpFilters: [{ stage: "decide", name: FILTER, config }],
    route: { filters: { [FILTER]: any(ExtAuthzPerRouteSchema, { override: { case: "checkSettings", value } }) } },
  };
}

function bundleOf({ agentConfig, appendPolicies = [] }: OpaConf): OpaBundle {
  const config = agentConfig && parseAgentConfig(textOf(agentConfig), "agentConfig");
  const { decisionLog = false, path } = config?.ok === true ? config.value : {};
  return {
    policies: appendPolicies.map(({ rego, ignoreDecision = false }) => ({
      rego: textOf(rego),
      decides: !ignoreDecision,
    })),
    ...(path === undefined ? {} : { path }),
    decisionLog,
  };
}
