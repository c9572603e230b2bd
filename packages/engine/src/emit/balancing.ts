import { duration } from "@heddle/envoy/duration.ts";
import {
  type Cluster_CommonLbConfigSchema,
  Cluster_LbPolicy,
  Cluster_RingHashLbConfig_HashFunction,
  type ClusterSchema,
} from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import type { RouteAction_HashPolicySchema } from "@heddle/envoy/gen/envoy/config/route/v3/route_components_pb.js";
import type { HashPolicy, LoadBalancer, Localities } from "../plan/balancing.ts";
import { type Init, present } from "./common.ts";

type Cluster = Init<typeof ClusterSchema>;

/** How instances are picked, in Envoy's form. */
export function emitLoadBalancer(balancer: LoadBalancer): Cluster {
  switch (balancer.by) {
    case "RoundRobin":
      return { lbPolicy: Cluster_LbPolicy.ROUND_ROBIN };
    case "Random":
      return { lbPolicy: Cluster_LbPolicy.RANDOM };
    case "LeastRequest":
      return { lbPolicy: Cluster_LbPolicy.LEAST_REQUEST, ...leastRequest(balancer) };
    case "RingHash":
      return { lbPolicy: Cluster_LbPolicy.RING_HASH, ...ringHash(balancer) };
    case "Maglev": {
      const lbPolicy = Cluster_LbPolicy.MAGLEV;
      if (balancer.tableSize === undefined) return { lbPolicy };
      return { lbPolicy, lbConfig: { case: "maglevLbConfig", value: { tableSize: BigInt(balancer.tableSize) } } };
    }
  }
}

function leastRequest({ choiceCount, activeRequestBias }: LoadBalancer & { readonly by: "LeastRequest" }): Cluster {
  if (choiceCount === undefined && activeRequestBias === undefined) return {};
  const bias = activeRequestBias === undefined ? undefined : { defaultValue: activeRequestBias, runtimeKey: BIAS };
  return { lbConfig: { case: "leastRequestLbConfig", value: present({ choiceCount, activeRequestBias: bias }) } };
}

// Envoy takes such a number only with the name under which its runtime layers could change it.
const BIAS = "heddle.active_request_bias";

const HASH_FUNCTIONS = {
  XXHash: Cluster_RingHashLbConfig_HashFunction.XX_HASH,
  MurmurHash2: Cluster_RingHashLbConfig_HashFunction.MURMUR_HASH_2,
} as const;

// What Envoy takes as the smallest ring when nobody says so; it refuses a largest one below.
const SMALLEST_RING = 1024;

function ringHash(balancer: LoadBalancer & { readonly by: "RingHash" }): Cluster {
  const { hashFunction, minRingSize = SMALLEST_RING, maxRingSize } = balancer;
  const min = Math.min(minRingSize, maxRingSize ?? minRingSize);
  const value = present({
    hashFunction: hashFunction && HASH_FUNCTIONS[hashFunction],
    minimumRingSize: min === SMALLEST_RING ? undefined : BigInt(min),
    maximumRingSize: maxRingSize === undefined ? undefined : BigInt(maxRingSize),
  });
  return Object.keys(value).length === 0 ? {} : { lbConfig: { case: "ringHashLbConfig", value } };
}

/** What Envoy makes of groups of instances, in its form. */
export function emitLocalities(localities: Localities): Init<typeof Cluster_CommonLbConfigSchema> {
  switch (localities.by) {
    case "weight":
      return { localityConfigSpecifier: { case: "localityWeightedLbConfig", value: {} } };
    case "zone": {
      const { failTrafficOnPanic } = localities;
      return { localityConfigSpecifier: { case: "zoneAwareLbConfig", value: { failTrafficOnPanic } } };
    }
  }
}

/** What of a request is hashed, in Envoy's form. */
export function emitHashPolicy(policy: HashPolicy): Init<typeof RouteAction_HashPolicySchema> {
  return { policySpecifier: hashed(policy), terminal: policy.terminal };
}

function hashed(policy: HashPolicy): NonNullable<Init<typeof RouteAction_HashPolicySchema>["policySpecifier"]> {
  switch (policy.of) {
    case "Header":
      return { case: "header", value: { headerName: policy.name } };
    case "Cookie": {
      const { name, path, ttl } = policy;
      return { case: "cookie", value: { name, ...present({ path, ttl: duration(ttl) }) } };
    }
    case "SourceIp":
      return { case: "connectionProperties", value: { sourceIp: true } };
    case "QueryParameter":
      return { case: "queryParameter", value: { name: policy.name } };
    case "FilterState":
      return { case: "filterState", value: { key: policy.key } };
  }
}
