import { descriptorText, RULE_KEY } from "@heddle/policies/mesh-global-rate-limit/limits.ts";
import {
  type DescriptorEntry,
  type RateLimitAnswer,
  RateLimitFailure,
  type RateLimitHooks,
  type RateLimitQuestion,
} from "@heddle/xds/rate-limit/hooks.ts";
import type { Count, Counters } from "./counters.ts";
import type { Caller } from "./callers.ts";
import type { ProxyLimit } from "./limits-of-proxy.ts";

/** How often which decision was made. */
export type Decisions = Record<"ok" | "over_limit" | "shadow" | "error", number>;

export interface DecideOptions {
  /** Who asks; throws RateLimitFailure for strangers. */
  readonly callerOf: (uri: string) => Caller;
  readonly counters: Counters;
  readonly decisions: Decisions;
}

/**
 * Decides by the limits of the proxy that asks, and by nothing that it says but which of them it means. A request has to
 * be within every limit; what is refused has been counted too, as Envoy's own service does it.
 */
export function rateLimitHooks({ callerOf, counters, decisions }: DecideOptions): RateLimitHooks {
  const note = (counted: readonly number[], asked: readonly Asked[]): RateLimitAnswer => {
    const over = asked.filter(({ limit }, index) => (counted[index] ?? Infinity) > limit.num);
    const isRefused = over.some(({ limit }) => !limit.shadow);
    decisions[isRefused ? "over_limit" : over.length > 0 ? "shadow" : "ok"] += 1;
    return isRefused ? "over limit" : "ok";
  };
  const failed = (error: unknown): never => {
    decisions.error += 1;
    throw error;
  };
  return {
    decide: (uri, question) => {
      try {
        const asked = askedOf(callerOf(uri), question);
        const counted = counters.count(asked.map(({ count }) => count));
        return counted instanceof Promise
          ? counted.then((counts) => note(counts, asked)).catch(failed)
          : note(counted, asked);
      } catch (error) {
        return failed(error);
      }
    },
  };
}

interface Asked {
  readonly limit: ProxyLimit["limit"];
  readonly count: Count;
}

function askedOf(caller: Caller, { domain, descriptors, hits }: RateLimitQuestion): readonly Asked[] {
  if (domain !== caller.mesh) {
    throw new RateLimitFailure("permission_denied", `Cannot count for mesh "${domain}": the caller is of another one`);
  }
  return descriptors.flatMap((entries) => {
    const text = textOf(entries);
    const found = text === undefined ? undefined : caller.limitFor(text);
    if (text === undefined || found === undefined) {
      throw new RateLimitFailure("not_found", "Cannot count: the caller has no such limit");
    }
    const { num, intervalMillis, shadow } = found.limit;
    return caller.servicesFor(found).map((service) => ({
      limit: { num, intervalMillis, shadow },
      count: { key: `${domain}\n${service}\n${text}\n${intervalMillis}`, hits, intervalMillis },
    }));
  });
}

/** The rule, and a header with its value, if the limit is about one. */
function textOf([rule, header, ...rest]: readonly DescriptorEntry[]): string | undefined {
  if (rule?.key !== RULE_KEY || rest.length > 0) return undefined;
  return descriptorText(rule.value, header && { name: header.key, value: header.value });
}
