import type { Resource } from "@heddle/model/resource.ts";
import { contentOf, type Hold, type Refusal } from "@heddle/model/roll-out-status.ts";
import { type Store, StoreError } from "@heddle/model/store.ts";
import type { HeldPolicy } from "./staging.ts";

/**
 * Writes into the status of a policy that proxies refused it, so that it stays held after a restart and everybody can
 * read why. Does nothing when the policy has another content by now. Throws StoreError when the store does not answer.
 */
export async function keepHold(store: Store, held: HeldPolicy, now: Date): Promise<void> {
  for (;;) {
    const stored = await store.get(held.policy);
    if (stored === undefined || contentOf(stored) !== contentOf(held.policy)) return;
    const status = { ...(stored.status as object | undefined), rollOut: holdFrom(held, now) };
    try {
      await store.update({ ...stored, status }, stored.version);
      return;
    } catch (error) {
      if (!(error instanceof StoreError) || (error.code !== "conflict" && error.code !== "not_found")) throw error;
    }
  }
}

/** One sentence about a policy that is held. */
export function heldMessage({ refusals, inForce, exposed }: HeldPolicy): string {
  const [first] = refusals;
  const instead = inForce === undefined ? "it is not in force" : "what was in force before still is";
  const seen = `${exposed} ${exposed === 1 ? "proxy" : "proxies"} had it`;
  return `${first === undefined ? "it was refused" : refusalText(first)}; ${instead} (${seen} before it was taken back)`;
}

function refusalText({ dataplane, typeUrl, resource, field, detail, modifications = [] }: Refusal): string {
  const what = resource === undefined ? "it" : `${typeUrl?.split(".").at(-1)} "${resource}"`;
  const by = modifications.length === 0 ? "" : ` as ${modifications.join(" and ")} changed it`;
  return `proxy "${dataplane}" refused ${what}${by}${field === undefined ? "" : ` because of ${field}`}: ${detail}`;
}

function holdFrom(held: HeldPolicy, now: Date): Hold {
  const { policy, inForce, refusals } = held;
  return {
    state: "Held",
    message: heldMessage(held),
    since: now.toISOString(),
    refusals,
    of: contentOf(policy),
    inForce: inForce === undefined ? null : contentIn(inForce),
  };
}

function contentIn({ spec, labels }: Resource): Hold["inForce"] {
  return { spec, labels };
}
