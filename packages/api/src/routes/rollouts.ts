import { parseDuration } from "@heddle/model/duration.ts";
import type { Violation } from "@heddle/model/violation.ts";
import type { Context } from "../context.ts";
import { invalid } from "../http/api-error.ts";
import { type ApiRequest, param, type Route } from "../http/route.ts";
import type { RolloutProgress } from "../reports.ts";

const LONGEST = 600_000;

/** How a write reaches the proxies, live. */
export function rolloutsRoute({ ports }: Context): Route {
  return {
    method: "GET",
    path: "/rollouts/{revision}",
    title: "Could not follow a rollout",
    needs: "read",
    doc: {
      summary: "Follow a change to the proxies: a line at each step, the last with done or timedOut",
      tag: "Control plane",
      query: [
        { name: "since", description: "Follow the changes after this revision; the one before unless set" },
        { name: "timeout", description: "Give up after this duration (10s; at most 10m)" },
      ],
      answer: "{revision, proxies: {affected, acked}, rejected, held?, elapsedMillis, done, timedOut?}",
      answerType: "application/x-ndjson",
    },
    handle: (request) => {
      const { revision, since, timeout } = parse(request);
      const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeout)]);
      return { status: 200, lines: until(signal, revision, ports.inspect.rollout(revision, since, signal)) };
    },
  };
}

/** Hands progress through; when the time is over before it is done, a last line says so. */
async function* until(
  signal: AbortSignal,
  revision: number,
  progress: AsyncIterable<RolloutProgress>,
): AsyncGenerator<RolloutProgress & { readonly timedOut?: true }> {
  let last: RolloutProgress = {
    revision,
    proxies: { affected: 0, acked: 0 },
    rejected: [],
    elapsedMillis: 0,
    done: false,
  };
  const started = performance.now();
  try {
    for await (const step of progress) {
      last = step;
      yield step;
      if (step.done) return;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  yield { ...last, elapsedMillis: Math.round(performance.now() - started), timedOut: true };
}

interface Asked {
  readonly revision: number;
  readonly since: number;
  readonly timeout: number;
}

function parse(request: ApiRequest): Asked {
  const violations: Violation[] = [];
  const revision = readRevision("revision", param(request, "revision"), violations);
  const sinceText = request.query.get("since");
  const since = sinceText === null ? revision - 1 : readRevision("since", sinceText, violations);
  const duration = parseDuration(request.query.get("timeout") ?? "10s", "timeout");
  if (!duration.ok) violations.push(...duration.violations);
  if (violations.length > 0) throw invalid(violations, "Invalid query");
  return { revision, since, timeout: duration.ok ? Math.min(duration.value, LONGEST) : LONGEST };
}

function readRevision(field: string, text: string, violations: Violation[]): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  violations.push({ field, message: `must be a revision of the store, a number, not "${text.slice(0, 40)}"` });
  return 0;
}
