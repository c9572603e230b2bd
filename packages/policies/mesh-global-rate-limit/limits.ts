import { contentHash } from "@heddle/model/canonical-json.ts";
import { toMillis } from "@heddle/model/duration.ts";
import type { Conf } from "@heddle/engine/policy.ts";
import type { Rate } from "@heddle/model/rate-limit-schema.ts";
import type { GlobalRateLimitConf } from "./schema.ts";

/** A limit as the service that counts has it. */
export interface Limit {
  readonly num: number;
  readonly intervalMillis: number;
  /** Counts, and lets everything through. */
  readonly shadow: boolean;
}

/** A header that a request has to have for a limit to mean it. */
export interface HeaderValue {
  readonly name: string;
  readonly value: string;
}

/** One limit, and which requests it means: all, or those with the header. */
export interface LimitOf {
  readonly header: HeaderValue | undefined;
  readonly limit: Limit;
}

/** What a descriptor's first entry is called where the control plane counts: the value says which rule is meant. */
export const RULE_KEY = "heddle.io/rule";

/** All limits that a conf sets; none when it is disabled. */
export function limitsOf({ http = {}, mode = "Limit" }: GlobalRateLimitConf): readonly LimitOf[] {
  const { disabled = false, requestRate, ratelimitOnRequest = [] } = http;
  if (disabled) return [];
  const shadow = mode === "Shadow";
  return [
    ...(requestRate === undefined ? [] : [{ header: undefined, limit: limitOf(requestRate, shadow) }]),
    ...ratelimitOnRequest.flatMap(({ name, limits }) =>
      limits.map(({ value, requestRate: rate }) => ({
        header: { name: name.toLowerCase(), value },
        limit: limitOf(rate, shadow),
      })),
    ),
  ];
}

function limitOf({ num, interval }: Rate, shadow: boolean): Limit {
  return { num, intervalMillis: toMillis(interval), shadow };
}

/**
 * Names the limits of an inbound by the policies they come from, not by what these say: a limit that is raised goes on
 * with its count, and Envoy does not hear of it.
 */
export function ruleOf({ origins }: Pick<Conf, "origins">, inbound: string): string {
  return contentHash([inbound, ...origins.map(({ name, rule }) => `${name}#${rule}`)]);
}

/** One text for a descriptor's entries, to look limits up by. */
export function descriptorText(rule: string, header: HeaderValue | undefined): string {
  return header === undefined ? rule : `${rule}\n${header.name}\n${header.value}`;
}
