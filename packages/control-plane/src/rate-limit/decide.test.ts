import assert from "node:assert/strict";
import { test } from "node:test";
import { RULE_KEY } from "@heddle/policies/mesh-global-rate-limit/limits.ts";
import type { DescriptorEntry, RateLimitQuestion } from "@heddle/xds/rate-limit/hooks.ts";
import type { Caller } from "./callers.ts";
import { type Decisions, rateLimitHooks } from "./decide.ts";
import type { ProxyLimit } from "./limits-of-proxy.ts";
import { memoryCounters } from "./memory-counters.ts";

const limit = (num: number, shadow = false): ProxyLimit => ({
  limit: { num, intervalMillis: 60_000, shadow },
  serviceTag: undefined,
});
const LIMITS = new Map([
  ["all", limit(3)],
  ["all\nx-plan\nfree", limit(1)],
  ["tried out", limit(1, true)],
]);
const rule = (value: string): DescriptorEntry => ({ key: RULE_KEY, value });
const FREE: DescriptorEntry = { key: "x-plan", value: "free" };

function service(services: Readonly<Record<string, readonly string[]>>) {
  const decisions: Decisions = { ok: 0, over_limit: 0, shadow: 0, error: 0 };
  const callerOf = (uri: string): Caller => ({
    mesh: "default",
    limitFor: (text) => LIMITS.get(text),
    servicesFor: () => services[uri] ?? [],
  });
  const hooks = rateLimitHooks({ callerOf, counters: memoryCounters({ now: () => 0 }), decisions });
  const ask = (uri: string, descriptors: RateLimitQuestion["descriptors"], more: Partial<RateLimitQuestion> = {}) =>
    hooks.decide(uri, { domain: "default", descriptors, hits: 1, ...more });
  return { ask, decisions };
}

test("decide() counts the instances of a service together, and services apart", () => {
  const { ask, decisions } = service({ a1: ["a"], a2: ["a"], b1: ["b"] });
  const answers = ["a1", "a2", "a1", "a2", "b1"].map((uri) => ask(uri, [[rule("all")]]));
  assert.deepEqual(answers, ["ok", "ok", "ok", "over limit", "ok"]);
  assert.deepEqual(decisions, { ok: 4, over_limit: 1, shadow: 0, error: 0 });
});

test("decide() counts an instance of two services for both", () => {
  const { ask } = service({ both: ["a", "b"], b1: ["b"] });
  const answers = ["both", "b1", "b1", "both"].map((uri) => ask(uri, [[rule("all")]]));
  assert.deepEqual(answers, ["ok", "ok", "ok", "over limit"]);
});

test("decide() wants a request within every limit that means it", () => {
  const { ask } = service({ a1: ["a"] });
  const free = [[rule("all")], [rule("all"), FREE]];
  assert.deepEqual([ask("a1", free), ask("a1", free), ask("a1", [[rule("all")]])], ["ok", "over limit", "ok"]);
});

test("decide() counts a heavy request as what it says", () => {
  const { ask } = service({ a1: ["a"] });
  assert.deepEqual([ask("a1", [[rule("all")]], { hits: 3 }), ask("a1", [[rule("all")]])], ["ok", "over limit"]);
});

test("decide() lets everything through a limit that is tried out", () => {
  const { ask, decisions } = service({ a1: ["a"] });
  assert.deepEqual([ask("a1", [[rule("tried out")]]), ask("a1", [[rule("tried out")]])], ["ok", "ok"]);
  assert.deepEqual(decisions, { ok: 1, over_limit: 0, shadow: 1, error: 0 });
});

const refused = [
  ["a limit that the proxy does not have", [[rule("other")]], {}, "not_found"],
  ["no rule", [[FREE]], {}, "not_found"],
  ["more than a header beside the rule", [[rule("all"), FREE, FREE]], {}, "not_found"],
  ["another mesh", [[rule("all")]], { domain: "other" }, "permission_denied"],
] as const;
for (const [what, descriptors, more, code] of refused) {
  test(`decide() refuses to count for ${what}`, () => {
    const { ask, decisions } = service({ a1: ["a"] });
    assert.throws(() => ask("a1", descriptors, more), { name: "RateLimitFailure", code });
    assert.equal(decisions.error, 1);
  });
}
