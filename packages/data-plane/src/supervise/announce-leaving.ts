import { postJson } from "../control-plane/post-json.ts";
import { currentToken, type LaunchPlan } from "../launch/launch-plan.ts";

/** Whether everybody who sends requests here knows that this proxy leaves; if not, why. */
export type Announcement = { readonly known: true } | { readonly known: false; readonly reason: string };

/** The control plane answers within 5 s at the latest, whoever has not acknowledged by then. */
const TIMEOUT_MS = 6_000;

/**
 * Asks the control plane to take this proxy out of everybody's endpoints (`POST /drain`), and returns when all who had
 * it have acknowledged. A control plane that does not know the question, such as Kuma's, is no reason not to go on.
 */
export async function announceLeaving(plan: LaunchPlan): Promise<Announcement> {
  const token = await currentToken(plan);
  try {
    const { status } = await postJson(plan.controlPlane, "/drain", plan.proxy, {
      timeoutMs: TIMEOUT_MS,
      ...(token === undefined ? {} : { headers: { authorization: token } }),
    });
    return status === 200 ? { known: true } : { known: false, reason: `it answered with HTTP ${status}` };
  } catch (cause) {
    return { known: false, reason: (cause as Error).message || "it does not answer" };
  }
}
