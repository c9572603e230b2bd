import { isHttp } from "@heddle/engine/emit/common.ts";
import type { EndpointOrder, HashPolicy, LoadBalancer } from "@heddle/engine/plan/balancing.ts";
import { definePolicy } from "@heddle/engine/policy.ts";
import { toMillis } from "@heddle/model/duration.ts";
import { meshLoadBalancingStrategyKind } from "./kind.ts";
import type { FailoverConf, HashPolicyConf, LoadBalancerConf, LocalityAwarenessConf, StrategyConf } from "./schema.ts";

/** Which instance a request goes to: near ones first, and by a rule or a hash among these. */
export const meshLoadBalancingStrategy = definePolicy<StrategyConf>({
  kind: meshLoadBalancingStrategyKind,
  outbound: (conf, { kind, protocol }) => {
    const { loadBalancer, localityAwareness } = conf;
    // What is outside of the mesh is in no zone.
    const isInZone = kind !== "MeshExternalService";
    const endpoints = isInZone ? localityAwareness && orderOf(localityAwareness) : undefined;
    const isWeighted = endpoints?.by === "zone" && endpoints.affinities.length > 0;
    return {
      endpoints,
      cluster: {
        loadBalancer: loadBalancer && balancerOf(loadBalancer),
        localities: isWeighted ? { by: "weight" } : undefined,
      },
      ...(isHttp(protocol) ? { route: { hashPolicies: hashPoliciesOf(conf)?.flatMap(hashOf) } } : {}),
    };
  },
});

function balancerOf({ type, leastRequest = {}, ringHash = {}, maglev = {} }: LoadBalancerConf): LoadBalancer {
  switch (type) {
    case "RoundRobin":
    case "Random":
      return { by: type };
    case "LeastRequest": {
      const { choiceCount, activeRequestBias: bias } = leastRequest;
      return { by: type, choiceCount, activeRequestBias: bias === undefined ? undefined : Number(bias) };
    }
    case "RingHash": {
      const { hashFunction, minRingSize, maxRingSize } = ringHash;
      return { by: type, hashFunction, minRingSize, maxRingSize };
    }
    case "Maglev":
      return { by: type, tableSize: maglev.tableSize };
  }
}

// Kuma 2.x has them in the load balancer that uses them.
function hashPoliciesOf({ hashPolicies, loadBalancer }: StrategyConf): StrategyConf["hashPolicies"] {
  if (hashPolicies !== undefined) return hashPolicies;
  if (loadBalancer?.type === "RingHash") return loadBalancer.ringHash?.hashPolicies;
  return loadBalancer?.type === "Maglev" ? loadBalancer.maglev?.hashPolicies : undefined;
}

function hashOf(policy: HashPolicyConf): readonly HashPolicy[] {
  const { type, terminal = false, header, cookie, connection, queryParameter, filterState } = policy;
  switch (type) {
    case "Header":
      return header === undefined ? [] : [{ terminal, of: "Header", name: header.name }];
    case "Cookie":
      return cookie === undefined ? [] : [{ terminal, of: "Cookie", ...cookie, ttl: toMillis(cookie.ttl) }];
    case "Connection":
    case "SourceIP":
      return connection?.sourceIP === true ? [{ terminal, of: "SourceIp" }] : [];
    case "QueryParameter":
      return queryParameter === undefined ? [] : [{ terminal, of: "QueryParameter", name: queryParameter.name }];
    case "FilterState":
      return filterState === undefined ? [] : [{ terminal, of: "FilterState", key: filterState.key }];
  }
}

function orderOf({ disabled, localZone, crossZone }: LocalityAwarenessConf): EndpointOrder {
  if (disabled === true) return { by: "nothing" };
  if (localZone === undefined && crossZone === undefined) return { by: "zone", affinities: [], others: "anybody" };
  return {
    by: "zone",
    affinities: affinitiesOf(localZone?.affinityTags ?? []),
    others: (crossZone?.failover ?? []).map(ruleOf),
    overprovisioning: overprovisioning(crossZone?.failoverThreshold),
  };
}

// Without weights nine of ten requests go to the first tag, nine of ten of the others to the second, and so on.
function affinitiesOf(
  tags: readonly { readonly key: string; readonly weight?: number | undefined }[],
): (EndpointOrder & { readonly by: "zone" })["affinities"] {
  return tags.map(({ key, weight }, at) => ({ key, weight: weight ?? 9 * 10 ** (tags.length - at - 1) }));
}

function ruleOf({ from, to }: FailoverConf): Exclude<(EndpointOrder & { by: "zone" })["others"], string>[number] {
  return { from: from?.zones, to: to.type, zones: to.zones ?? [] };
}

// Rounded up, so that exactly the threshold is still enough.
function overprovisioning({ percentage = 50 }: Partial<Threshold> = {}): number {
  return Math.ceil(10_000 / Number(percentage));
}
type Threshold = NonNullable<NonNullable<LocalityAwarenessConf["crossZone"]>["failoverThreshold"]>;
