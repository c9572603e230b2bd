import type { TargetRef } from "@heddle/model/target-ref.ts";
import type { Violation } from "@heddle/model/violation.ts";
import type { FailoverConf, HashPolicyConf, LoadBalancerConf, LocalityAwarenessConf, StrategyConf } from "./schema.ts";

/** Where a conf stands: the path of its item, and what the item and its policy point at. */
interface Place {
  readonly field: string;
  readonly to: TargetRef;
  readonly top: TargetRef;
}

/** What is wrong with a strategy whose every field is right. */
export function checkConf(conf: StrategyConf, { field: item, to, top }: Place): readonly Violation[] {
  const field = `${item}.default`;
  const { hashPolicies, loadBalancer, localityAwareness } = conf;
  return [
    ...(to.kind === "MeshHTTPRoute" ? onlyHashes(conf, field) : []),
    ...(top.kind === "MeshGateway" && to.kind !== "Mesh" && loadBalancer !== undefined
      ? [{ field: `${item}.targetRef.kind`, message: "must be Mesh when loadBalancer is set for a MeshGateway" }]
      : []),
    ...(loadBalancer === undefined ? [] : checkLoadBalancer(loadBalancer, `${field}.loadBalancer`, hashPolicies)),
    ...(localityAwareness === undefined ? [] : checkLocality(localityAwareness, `${field}.localityAwareness`, to)),
    ...checkHashPolicies(hashPolicies, `${field}.hashPolicies`),
  ];
}

function onlyHashes(conf: StrategyConf, field: string): readonly Violation[] {
  return (["loadBalancer", "localityAwareness"] as const)
    .filter((name) => conf[name] !== undefined)
    .map((name) => ({
      field: `${field}.${name}`,
      message: "must not be set for a MeshHTTPRoute, only hashPolicies may be: set it for the service",
    }));
}

function checkLoadBalancer(
  { ringHash, maglev }: LoadBalancerConf,
  field: string,
  hashPolicies: StrategyConf["hashPolicies"],
): readonly Violation[] {
  const twice = (conf: LoadBalancerConf["ringHash" | "maglev"], name: string): Violation[] =>
    hashPolicies === undefined || conf?.hashPolicies === undefined
      ? []
      : [{ field: `${field}.${name}.hashPolicies`, message: "must not be set beside default.hashPolicies" }];
  return [
    ...twice(ringHash, "ringHash"),
    ...checkHashPolicies(ringHash?.hashPolicies, `${field}.ringHash.hashPolicies`),
    ...checkRing(ringHash, `${field}.ringHash`),
    ...twice(maglev, "maglev"),
    ...checkHashPolicies(maglev?.hashPolicies, `${field}.maglev.hashPolicies`),
    ...checkTable(maglev?.tableSize, `${field}.maglev.tableSize`),
  ];
}

function checkRing({ minRingSize, maxRingSize }: LoadBalancerConf["ringHash"] & {} = {}, field: string): Violation[] {
  if (minRingSize === undefined || maxRingSize === undefined || minRingSize <= maxRingSize) return [];
  return [{ field: `${field}.maxRingSize`, message: `must be at least minRingSize, which is ${minRingSize}` }];
}

// Envoy refuses a cluster with any other.
function checkTable(size: number | undefined, field: string): Violation[] {
  if (size === undefined || isPrime(size)) return [];
  return [{ field, message: `must be a prime number; the next one is ${nextPrime(size)}` }];
}

function nextPrime(after: number): number {
  let candidate = after;
  while (!isPrime(candidate)) candidate += 1;
  return candidate;
}

function isPrime(number: number): boolean {
  if (number < 2) return false;
  for (let divisor = 2; divisor * divisor <= number; divisor += 1) if (number % divisor === 0) return false;
  return true;
}

const DETAIL = {
  Header: "header",
  Cookie: "cookie",
  Connection: "connection",
  SourceIP: "connection",
  QueryParameter: "queryParameter",
  FilterState: "filterState",
} as const satisfies Record<HashPolicyConf["type"], keyof HashPolicyConf>;

function checkHashPolicies(policies: readonly HashPolicyConf[] = [], field: string): readonly Violation[] {
  return policies.flatMap((policy, at) => {
    const detail = DETAIL[policy.type];
    if (policy[detail] !== undefined) return [];
    return [{ field: `${field}[${at}].${detail}`, message: `must be set with type ${policy.type}` }];
  });
}

function checkLocality(
  { localZone, crossZone }: LocalityAwarenessConf,
  field: string,
  to: TargetRef,
): readonly Violation[] {
  const isOneService = to.kind === "MeshService" && (to.sectionName !== undefined || to.labels !== undefined);
  const { failover = [], failoverThreshold } = crossZone ?? {};
  return [
    ...checkAffinity(localZone?.affinityTags, `${field}.localZone.affinityTags`),
    ...(crossZone !== undefined && isOneService
      ? [
          {
            field: `${field}.crossZone`,
            message: "must not be set: the instances of a MeshService are in one zone; point at a MeshMultiZoneService",
          },
        ]
      : []),
    ...failover.flatMap((each, at) => checkFailover(each, `${field}.crossZone.failover[${at}].to.zones`)),
    ...(Number(failoverThreshold?.percentage ?? 1) === 0
      ? [{ field: `${field}.crossZone.failoverThreshold.percentage`, message: "must be more than 0, such as 50" }]
      : []),
  ];
}

// The default weights of more tags, or the sum of larger ones, are more than Envoy counts to.
const MOST_WITHOUT_WEIGHTS = 9;
const LARGEST_SUM = 4_294_967_294;

function checkAffinity(
  tags: NonNullable<LocalityAwarenessConf["localZone"]>["affinityTags"] = [],
  field: string,
): readonly Violation[] {
  const weights = tags.flatMap(({ weight }) => weight ?? []);
  if (weights.length === 0) {
    if (tags.length <= MOST_WITHOUT_WEIGHTS) return [];
    return [{ field, message: `must be at most ${MOST_WITHOUT_WEIGHTS} tags without weights, not ${tags.length}` }];
  }
  if (weights.length < tags.length) return [{ field, message: "must have weights for all tags or for none" }];
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return sum <= LARGEST_SUM ? [] : [{ field, message: `must have weights of at most ${LARGEST_SUM} together` }];
}

function checkFailover({ to: { type, zones = [] } }: FailoverConf, field: string): readonly Violation[] {
  const named = type === "Only" || type === "AnyExcept";
  if (named === zones.length > 0) return [];
  return [{ field, message: named ? `must not be empty with type ${type}` : `must be empty with type ${type}` }];
}
