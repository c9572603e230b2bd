/** How an instance is picked for a request. What is absent is Envoy's default. */
export type LoadBalancer =
  | { readonly by: "RoundRobin" }
  | { readonly by: "Random" }
  | {
      readonly by: "LeastRequest";
      /** How many instances are drawn, of which the one with the fewest requests under way is taken. */
      readonly choiceCount?: number | undefined;
      /** How much requests under way count against an instance's weight; 0 is not at all. */
      readonly activeRequestBias?: number | undefined;
    }
  | {
      readonly by: "RingHash";
      readonly hashFunction?: "XXHash" | "MurmurHash2" | undefined;
      readonly minRingSize?: number | undefined;
      readonly maxRingSize?: number | undefined;
    }
  | {
      readonly by: "Maglev";
      /** A prime number. */
      readonly tableSize?: number | undefined;
    };

/** What of a request is hashed; requests with the same hash go to the same instance. */
export type HashPolicy = {
  /** When there is a hash by now, what follows in the list is left out. */
  readonly terminal: boolean;
} & (
  | { readonly of: "Header"; readonly name: string }
  | {
      readonly of: "Cookie";
      readonly name: string;
      readonly path?: string | undefined;
      /** Milliseconds. With it a caller without the cookie gets one; zero: for as long as its session lasts. */
      readonly ttl?: number | undefined;
    }
  | { readonly of: "SourceIp" }
  | { readonly of: "QueryParameter"; readonly name: string }
  | { readonly of: "FilterState"; readonly key: string }
);

/** What Envoy makes of the groups into which instances are put: weights, or zones of which none may panic. */
export type Localities = { readonly by: "weight" } | { readonly by: "zone"; readonly failTrafficOnPanic: boolean };

/** Which instances are called first, as policies say it for all callers alike. */
export type EndpointOrder = { readonly by: "nothing" } | ({ readonly by: "zone" } & ZoneOrder);

/** The caller's own zone comes first. */
export interface ZoneOrder {
  /** Shares of the instances in the own zone that have the same value as the caller in a tag; the others weigh 1. */
  readonly affinities: readonly { readonly key: string; readonly weight: number }[];
  /** Who is called when too few are left in the own zone: everybody ("anybody"), or what the first rules that fit say. */
  readonly others: "anybody" | readonly FailoverRule[];
  /** The next are called when the healthy share of the ones before, times this percentage, is below 100. Absent: 140. */
  readonly overprovisioning?: number | undefined;
}

/** Where requests go after the own zone. A rule "None" ends the list. */
export interface FailoverRule {
  /** Zones of callers for which this is a rule; all when absent. */
  readonly from?: readonly string[] | undefined;
  readonly to: "None" | "Any" | "Only" | "AnyExcept";
  readonly zones: readonly string[];
}
