import type { EncodedResource } from "./resource.ts";
import { type InFlight, type Subscription, UNKNOWN } from "./subscription.ts";

/**
 * Takes in a NACK. The culprits, which are given back, stay unsent until their content changes; the rest of that response
 * is due again, as nobody knows what the client took of it. When a NACK names nobody, there are no culprits yet: smaller
 * responses find them.
 */
export function refuse(subscription: Subscription, response: InFlight, detail: string): readonly EncodedResource[] {
  const { resources, removed } = response;
  const culprits = resources.length === 1 ? resources : resources.filter(({ name }) => isBlamed(name, detail));
  if (culprits.length === 0) subscription.batchLimit = Math.max(1, Math.ceil(resources.length / 2));
  // Dropped by the client (and perhaps asked for again) since it was sent: such a name counts as never sent.
  const standing = resources.filter(({ name, version }) => subscription.held.get(name) === version);
  for (const { name } of standing) subscription.held.set(name, UNKNOWN);
  for (const culprit of culprits) {
    if (standing.includes(culprit)) subscription.refused.set(culprit.name, culprit.version);
  }
  // Removals alone are not refused for a fault of theirs: repeating them would go on for ever.
  if (resources.length > 0) for (const name of removed) takeBackRemoval(subscription, name);
  return culprits;
}

/**
 * True when Envoy's words blame this name. For clusters and listeners it applies what it can and lists the others:
 * "Error adding/updating cluster(s) first: why, second: why". The name counts only in such a place, so that one that
 * happens to be a word of the explanation is not blamed.
 */
function isBlamed(name: string, detail: string): boolean {
  return STARTS_OF_ENTRY.some((start) => detail.includes(`${start}${name}: `));
}

const STARTS_OF_ENTRY = ["(s) ", ", ", "\n"];

function takeBackRemoval({ names, wildcard, missing, held }: Subscription, name: string): void {
  missing.delete(name);
  if (wildcard && !names.has(name) && !held.has(name)) held.set(name, UNKNOWN);
}
