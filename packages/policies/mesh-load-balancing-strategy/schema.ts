import { duration, percentage } from "@heddle/model/schema.ts";
import { z } from "zod";

const UINT32 = 4_294_967_295;

const hashPolicySchema = z.strictObject({
  type: z
    .enum(["Header", "Cookie", "Connection", "SourceIP", "QueryParameter", "FilterState"])
    .describe("What is hashed; SourceIP is Kuma 2.x for Connection"),
  terminal: z.boolean().optional().describe("When there is a hash by now, the rest of the list is left out (false)"),
  header: z
    .strictObject({
      name: z
        .string()
        .min(1)
        .max(256)
        .regex(/^:?[\w!#$%&'*+.^`|~-]+$/, 'must be the name of a header, such as "x-user"')
        .describe("Name of the request's header"),
    })
    .optional()
    .describe("With type Header"),
  cookie: z
    .strictObject({
      name: z
        .string()
        .min(1)
        .max(256)
        .regex(/^[\w!#$%&'*+.^`|~-]+$/, 'must be the name of a cookie, such as "session"')
        .describe("Name of the cookie"),
      ttl: duration()
        .optional()
        .describe("A caller without the cookie is given one for so long; 0s is for as long as its session lasts"),
      path: z
        .string()
        .max(1_024)
        .regex(/^\/[\x20-\x3a\x3c-\x7e]*$/, 'must be an absolute path such as "/shop", without ";"')
        .optional()
        .describe("Path of the cookie that is given"),
    })
    .optional()
    .describe("With type Cookie"),
  connection: z
    .strictObject({ sourceIP: z.boolean().optional().describe("The caller's address is hashed (false)") })
    .optional()
    .describe("With type Connection"),
  queryParameter: z
    .strictObject({ name: z.string().min(1).max(256).describe("Name of the parameter; upper and lower case differ") })
    .optional()
    .describe("With type QueryParameter"),
  filterState: z
    .strictObject({ key: z.string().min(1).max(256).describe("Name of an object that an Envoy filter has left") })
    .optional()
    .describe("With type FilterState"),
});
/** What of a request is hashed. */
export type HashPolicyConf = z.infer<typeof hashPolicySchema>;

const hashPolicies = () => z.array(hashPolicySchema).max(32).optional();
const legacyHashPolicies = () => hashPolicies().describe("Kuma 2.x; hashPolicies beside loadBalancer today");
const ringSize = () => z.int().min(1).max(8_000_000).optional();
const nothing = () => z.strictObject({}).optional();

const loadBalancerSchema = z.strictObject({
  type: z
    .enum(["RoundRobin", "LeastRequest", "RingHash", "Random", "Maglev"])
    .describe("How an instance is picked: in turn, the less busy one, by hash, or at random"),
  roundRobin: nothing().describe("With type RoundRobin; has no settings"),
  leastRequest: z
    .strictObject({
      choiceCount: z
        .int()
        .min(2)
        .max(UINT32)
        .optional()
        .describe("How many instances are drawn, of which the one with the fewest requests under way is taken (2)"),
      activeRequestBias: z
        .union([
          z.int().min(0),
          z.string().regex(/^\d{1,9}(\.\d{1,9})?$/, 'must be a number of at least 0, such as "1.5"'),
        ])
        .optional()
        .describe("How much requests under way count against an instance's weight (1)"),
    })
    .optional()
    .describe("With type LeastRequest"),
  ringHash: z
    .strictObject({
      hashFunction: z.enum(["XXHash", "MurmurHash2"]).optional().describe("How instances are put on the ring (XXHash)"),
      minRingSize: ringSize().describe("Fewest places on the ring; more of them spread requests more evenly (1024)"),
      maxRingSize: ringSize().describe("Most places on the ring (8000000)"),
      hashPolicies: legacyHashPolicies(),
    })
    .optional()
    .describe("With type RingHash"),
  random: nothing().describe("With type Random; has no settings"),
  maglev: z
    .strictObject({
      tableSize: z.int().min(2).max(5_000_011).optional().describe("Places in the table; a prime number (65537)"),
      hashPolicies: legacyHashPolicies(),
    })
    .optional()
    .describe("With type Maglev"),
});
export type LoadBalancerConf = z.infer<typeof loadBalancerSchema>;

const affinityTagSchema = z.strictObject({
  key: z.string().min(1).max(256).describe("Tag or label; instances with the caller's own value of it are near"),
  weight: z.int().min(1).max(UINT32).optional().describe("Share of the requests (90% the first, 9% the next, ...)"),
});

const zones = () => z.array(z.string().min(1).max(256)).max(256);
const failoverSchema = z.strictObject({
  from: z
    .strictObject({ zones: zones().min(1).describe("Zones of callers") })
    .optional()
    .describe("For which callers this is a rule (all)"),
  to: z
    .strictObject({
      type: z.enum(["None", "Only", "Any", "AnyExcept"]).describe("Which zones are next; None: no further zone"),
      zones: zones().optional().describe("With Only and AnyExcept"),
    })
    .describe("Zones that are called when too few instances are left"),
});
export type FailoverConf = z.infer<typeof failoverSchema>;

const localityAwarenessSchema = z.strictObject({
  disabled: z.boolean().optional().describe("All instances are called alike, wherever they are (false)"),
  localZone: z
    .strictObject({
      affinityTags: z.array(affinityTagSchema).max(32).optional().describe("Tags by which instances are near"),
    })
    .optional()
    .describe("Within the caller's zone"),
  crossZone: z
    .strictObject({
      failover: z.array(failoverSchema).max(64).optional().describe("Which zones are next, the first rule first"),
      failoverThreshold: z
        .strictObject({
          percentage: percentage().describe("Share of healthy instances below which the next zones get requests (50)"),
        })
        .optional()
        .describe("When other zones are called"),
    })
    .optional()
    .describe("When too few instances of the caller's zone are left; zones that no rule names are never called"),
});
export type LocalityAwarenessConf = z.infer<typeof localityAwarenessSchema>;

export const strategySchema = z.strictObject({
  localityAwareness: localityAwarenessSchema.optional().describe("Which instances are called first"),
  loadBalancer: loadBalancerSchema.optional().describe("How one of them is picked"),
  hashPolicies: hashPolicies().describe("What of a request says to which instance it goes, with RingHash and Maglev"),
});
/** How instances are picked. Durations as written; what is absent is left as it is. */
export type StrategyConf = z.infer<typeof strategySchema>;
