import { httpUrl } from "@heddle/engine/emit/collector.ts";
import type { Init } from "@heddle/engine/emit/common.ts";
import { headerOptions } from "@heddle/engine/emit/header-options.ts";
import { systemCluster, systemName } from "@heddle/engine/emit/system-cluster.ts";
import type { HttpFilter, InboundPlan } from "@heddle/engine/plan/plan.ts";
import type { Conf } from "@heddle/engine/policy.ts";
import { type ProxyFacts, serviceOf } from "@heddle/engine/proxy-facts.ts";
import { any } from "@heddle/envoy/any.ts";
import { duration } from "@heddle/envoy/duration.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { ApiVersion } from "@heddle/envoy/gen/envoy/config/core/v3/config_source_pb.js";
import type { RateLimitSchema as DescriptorSchema } from "@heddle/envoy/gen/envoy/config/route/v3/route_components_pb.js";
import { RateLimitSchema } from "@heddle/envoy/gen/envoy/extensions/filters/http/ratelimit/v3/rate_limit_pb.js";
import { toMillis } from "@heddle/model/duration.ts";
import { LABEL } from "@heddle/model/labels.ts";
import { OWN_SERVICE } from "./own-service.ts";
import { type HeaderValue, limitsOf, RULE_KEY, ruleOf } from "./limits.ts";
import type { GlobalRateLimitConf } from "./schema.ts";

/** Where the requests come in. */
export interface Place {
  readonly inbound: InboundPlan;
  readonly proxy: ProxyFacts;
}

/** What a request waits for its count, in milliseconds, unless users say otherwise. */
const DEFAULT_TIMEOUT = 250;
const TOO_MANY_REQUESTS = 429;

/** The filter that has requests counted, with the limits of the conf. */
export function limitFilter(conf: Conf<GlobalRateLimitConf>, place: Place): HttpFilter {
  const { http = {}, mode, backend } = conf.value;
  const { status = TOO_MANY_REQUESTS, headers = {} } = http.onRateLimit ?? {};
  const { url, timeout, limitOnServiceFail = false } = backend?.rateLimitService ?? {};
  const config = any(RateLimitSchema, {
    domain: place.proxy.mesh.name,
    statPrefix: "global",
    timeout: duration(toMillis(timeout) ?? DEFAULT_TIMEOUT),
    failureModeDeny: limitOnServiceFail && mode !== "Shadow",
    rateLimitedStatus: { code: status },
    statusOnError: { code: status },
    responseHeadersToAdd: headerOptions({ set: headers.set ?? [], add: headers.add ?? [] }),
    rateLimitService: {
      grpcService: {
        targetSpecifier: {
          case: "envoyGrpc",
          value: { clusterName: url === undefined ? OWN_SERVICE : clusterName(url) },
        },
      },
      transportApiVersion: ApiVersion.V3,
    },
    rateLimits: descriptors(conf, place),
  });
  return { stage: "limit", name: "envoy.filters.http.ratelimit", config };
}

/** The cluster of a service that users run themselves; undefined when the control plane counts. */
export function serviceCluster({ backend }: GlobalRateLimitConf, { node }: ProxyFacts): EncodedResource | undefined {
  const { url = "" } = backend?.rateLimitService ?? {};
  const read = httpUrl(url);
  if (read === undefined) return undefined;
  const { host: address, port, tls } = read;
  const trust = tls ? { tls: { authorities: node.systemCaPath } } : {};
  return systemCluster(clusterName(url), { address, port, http2: true, ...trust });
}

function clusterName(url: string): string {
  return systemName("rate_limit", url);
}

/**
 * What is said about a request. The control plane knows by its certificate which proxy asks, so the rule is enough. A
 * service of the user's own is told what Kong Mesh tells: the mesh as the domain, and the name of the service.
 */
function descriptors(conf: Conf<GlobalRateLimitConf>, { inbound, proxy }: Place): Init<typeof DescriptorSchema>[] {
  const isOwn = conf.value.backend?.rateLimitService.url === undefined;
  const [descriptorKey, descriptorValue] = isOwn
    ? [RULE_KEY, ruleOf(conf, inbound.name)]
    : [LABEL.service, inbound.tags[LABEL.service] ?? serviceOf(proxy)];
  const first: Action = { actionSpecifier: { case: "genericKey", value: { descriptorKey, descriptorValue } } };
  return limitsOf(conf.value).map(({ header }) => ({
    actions: header === undefined ? [first] : [first, headerAction(header)],
  }));
}

type Action = NonNullable<Init<typeof DescriptorSchema>["actions"]>[number];

// Without that value there is no descriptor, and a request without any is not asked about.
function headerAction({ name, value }: HeaderValue): Action {
  const matchPattern = { case: "exact", value } as const;
  return {
    actionSpecifier: {
      case: "headerValueMatch",
      value: {
        descriptorKey: name,
        descriptorValue: value,
        headers: [{ name, headerMatchSpecifier: { case: "stringMatch", value: { matchPattern } } }],
      },
    },
  };
}
