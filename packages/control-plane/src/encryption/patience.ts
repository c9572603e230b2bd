import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../log.ts";
import type { Attempt } from "./transit-key.ts";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;

/** A wish to wait for Vault, which ends when the control plane has started. */
export interface Patience {
  readonly attempt: Attempt;
  /** From now on one try is all there is. */
  end(): void;
}

/** Waits for a Vault that is away or sealed: longer each time, up to half a minute, and tells each new reason once. */
export function patience(log: Log, signal: AbortSignal): Patience {
  let isPatient = true;
  const attempt: Attempt = async (request) => {
    let told = "";
    for (let wait = FIRST_WAIT; ; wait = Math.min(LONGEST_WAIT, wait * 2)) {
      try {
        return await request();
      } catch (error) {
        const { message, kind } = error as Error & { readonly kind?: unknown };
        if (!isPatient || kind !== "unavailable") throw error;
        if (message !== told)
          log.warn("the store waits for its key, and the control plane with it", { reason: message });
        told = message;
        // Half of it by chance: several control planes must not come at the same moments.
        await delay(wait / 2 + (Math.random() * wait) / 2, undefined, { signal });
      }
    }
  };
  return { attempt, end: () => void (isPatient = false) };
}
