import { setTimeout as sleep } from "node:timers/promises";
import { LaunchError } from "../launch-error.ts";
import type { Log } from "../log.ts";
import type { BootstrapRequest } from "./bootstrap-request.ts";
import { clockWarning } from "./compare-clocks.ts";
import type { ControlPlane } from "./control-plane.ts";
import { explainAnswer, explainError, type ExplainedFailure } from "./explain-failure.ts";
import { postJson } from "./post-json.ts";

/** What came of one attempt. `bootstrap` is the YAML that Envoy starts with, `clock` what is wrong with this machine's. */
export type Attempt =
  | { readonly ok: true; readonly bootstrap: string; readonly clock: string | undefined }
  | ({ readonly ok: false } & ExplainedFailure);

/** How long to keep asking, and what to do meanwhile. */
export interface Patience {
  /** Pause between attempts. */
  readonly backoffMs: number;
  /** When to give up. */
  readonly maxDurationMs: number;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const ATTEMPT_TIMEOUT_MS = 10_000;

/** Asks the control plane for the bootstrap once. Rejects only when the signal aborts. */
export async function attemptBootstrap(
  controlPlane: ControlPlane,
  request: BootstrapRequest,
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
): Promise<Attempt> {
  const ownAuthority = controlPlane.trust.kind === "authorities";
  try {
    const answer = await postJson(controlPlane, "/bootstrap", request, {
      timeoutMs: options.timeoutMs ?? ATTEMPT_TIMEOUT_MS,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    if (answer.status !== 200) return { ok: false, ...explainAnswer(answer, controlPlane.url, ownAuthority) };
    const bootstrap = answer.contentType.includes("json") ? decode(answer.text) : answer.text;
    return { ok: true, bootstrap, clock: clockWarning(answer.date, new Date()) };
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (cause instanceof LaunchError) return { ok: false, error: cause, final: true };
    return { ok: false, ...explainError(cause, controlPlane.url, ownAuthority) };
  }
}

/**
 * Asks until there is a bootstrap, a final refusal, or no more time. Says once what it waits for, and again when the
 * reason changes. Throws LaunchError, or the signal's reason.
 */
export async function fetchBootstrap(
  controlPlane: ControlPlane,
  request: BootstrapRequest,
  patience: Patience,
): Promise<string> {
  const { backoffMs, maxDurationMs, log, signal } = patience;
  const giveUpAt = performance.now() + maxDurationMs;
  let said = "";
  for (;;) {
    const attempt = await attemptBootstrap(controlPlane, request, { signal });
    if (attempt.ok && attempt.clock !== undefined) log("warning", attempt.clock);
    if (attempt.ok) return attempt.bootstrap;
    const remaining = giveUpAt - performance.now();
    if (attempt.final || remaining < backoffMs) throw attempt.error;
    if (attempt.error.message !== said) log("warning", waiting(attempt.error, backoffMs, remaining));
    said = attempt.error.message;
    // Spread by a tenth, so that a rack that was switched on at once does not knock in step.
    await sleep(backoffMs * (0.9 + Math.random() * 0.2), undefined, { signal });
  }
}

function waiting(error: LaunchError, backoffMs: number, remaining: number): string {
  const reasons = error.details.length > 0 ? ` (${error.details.join("; ")})` : "";
  const next = error.next[0] === undefined ? "" : `. ${error.next[0]}`;
  return `${error.message}${reasons}; trying again every ${backoffMs / 1_000} s for ${Math.ceil(remaining / 1_000)} s${next}`;
}

/** Kuma's JSON answer: the YAML of the bootstrap in base64, beside settings for kuma-dp's own servers. */
function decode(text: string): string {
  const wrong = (cause?: unknown): LaunchError =>
    new LaunchError("refused", "Cannot read the control plane's answer: it is no bootstrap", {
      next: ["Check that --cp-address is the data plane server's, port 5678"],
      cause,
    });
  let bootstrap: unknown;
  try {
    bootstrap = (JSON.parse(text) as { bootstrap?: unknown } | null)?.bootstrap;
  } catch (cause) {
    throw wrong(cause);
  }
  if (typeof bootstrap !== "string" || bootstrap === "") throw wrong();
  return Buffer.from(bootstrap, "base64").toString("utf8");
}
