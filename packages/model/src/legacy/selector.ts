import { z } from "zod";
import { LABEL, type Labels } from "../labels.ts";
import type { TargetRef } from "../target-ref.ts";
import type { Violation } from "../violation.ts";

/** What the policies of Kuma 2.x select by: tags that must all be there; "*" stands for any value. */
export const selectorSchema = z.strictObject({
  match: z.record(z.string(), z.string()).describe('Tags that must all be there; "*" for any value'),
});
export type Selector = z.infer<typeof selectorSchema>;

/** Which requests a policy is about: by who sends them and where they go. */
export const connectionShape = {
  sources: z.array(selectorSchema).describe("Who sends the requests, by tags"),
  destinations: z.array(selectorSchema).describe("Where the requests go, by tags"),
};
export interface Connections {
  readonly sources: readonly Selector[];
  readonly destinations: readonly Selector[];
}

/** How much a selector says: more tags say more; among as many, the one with fewer "*". */
export interface Rank {
  readonly tags: number;
  readonly exact: number;
}

/** The rank of a selector. */
export function rankOf({ match }: Selector): Rank {
  const values = Object.values(match);
  return { tags: values.length, exact: values.filter((value) => value !== "*").length };
}

/** The rank of two selectors together. */
export function addRanks(a: Rank, b: Rank): Rank {
  return { tags: a.tags + b.tags, exact: a.exact + b.exact };
}

/** Orders ranks: negative when the first says less. */
export function compareRanks(a: Rank, b: Rank): number {
  return a.tags - b.tags || a.exact - b.exact;
}

/** The reference of today that means the same proxies, or the same callers. */
export function targetOf({ match }: Selector): TargetRef {
  const { [LABEL.service]: service, ...tags } = match;
  const others = Object.keys(tags).length > 0;
  if (service === undefined || service === "*") return others ? { kind: "MeshSubset", tags } : { kind: "Mesh" };
  return others ? { kind: "MeshServiceSubset", name: service, tags } : { kind: "MeshService", name: service };
}

/** The reference that means a destination: by its service, which is all that clients of Kuma 2.x could select by. */
export function destinationOf({ match }: Selector): TargetRef {
  const service = match[LABEL.service] ?? "*";
  return service === "*" ? { kind: "Mesh" } : { kind: "MeshService", name: service };
}

/** What is wrong with the selectors of a policy that clients carry out: a service, and nothing else, as destination. */
export function checkClientSide({ sources, destinations }: Connections): readonly Violation[] {
  return [...checkSelectors(sources, "sources", { service: true }), ...checkServicesOnly(destinations)];
}

/** What is wrong with the selectors of a policy that servers carry out: any tags will do. */
export function checkServerSide({ sources, destinations }: Connections): readonly Violation[] {
  return [...checkSelectors(sources, "sources"), ...checkSelectors(destinations, "destinations")];
}

/** What is wrong with a list of selectors. `service`: each must have the tag kuma.io/service. */
export function checkSelectors(
  selectors: readonly Selector[],
  field: string,
  { service = false }: { readonly service?: boolean } = {},
): readonly Violation[] {
  if (selectors.length === 0) {
    return [{ field, message: `must have at least one selector, such as {match: {${LABEL.service}: "*"}}` }];
  }
  return selectors.flatMap(({ match }, index) => checkTags(match, `${field}[${index}].match`, { service }));
}

/** What is wrong with tags that select something. */
export function checkTags(
  tags: Labels,
  field: string,
  { service }: { readonly service: boolean },
): readonly Violation[] {
  if (Object.keys(tags).length === 0) {
    return [{ field, message: `must have at least one tag, such as ${LABEL.service}: "*"` }];
  }
  const missing = service && tags[LABEL.service] === undefined;
  return [
    ...(missing ? [{ field, message: `must have the tag ${LABEL.service}; "*" stands for every service` }] : []),
    ...Object.entries(tags).flatMap(([key, value]) => checkTag(key, value, `${field}["${key}"]`)),
  ];
}

function checkServicesOnly(destinations: readonly Selector[]): readonly Violation[] {
  const wrong = checkSelectors(destinations, "destinations", { service: true });
  if (wrong.length > 0) return wrong;
  return destinations.flatMap(({ match }, index) =>
    Object.keys(match)
      .filter((key) => key !== LABEL.service)
      .map((key) => ({
        field: `destinations[${index}].match["${key}"]`,
        message: `must not be set: a destination of this kind is selected by ${LABEL.service} alone`,
      })),
  );
}

const KEY = /^[A-Za-z0-9._:/-]+$/;
const VALUE = /^[A-Za-z0-9._-]+$/;

function checkTag(key: string, value: string, field: string): readonly Violation[] {
  const wrong: Violation[] = [];
  if (!KEY.test(key))
    wrong.push({ field, message: "must be a tag's name: letters, digits, '.', '-', '_', ':' and '/'" });
  if (value !== "*" && !VALUE.test(value)) {
    wrong.push({ field, message: `must be "*" or letters, digits, '.', '-' and '_', not ${JSON.stringify(value)}` });
  }
  return wrong;
}
