import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RE2JS } from "re2js";
import { type Automaton, automatonOf, MAX_STATES } from "./automaton.ts";

/** What gather.lua does with an automaton. */
function accepts({ classes, states, final }: Automaton, name: string): boolean {
  let state = 1;
  for (const character of name) {
    state = states[state - 1]?.[(classes.get(character) ?? 0) - 1] ?? -1;
    if (state === 0) return true;
  }
  return final[state - 1] === true;
}

const patterns = [
  "cluster",
  "^envoy_cluster_.*_total$",
  "upstream_(rq|cx)_(total|active)",
  "(?i)RQ_TIME",
  "[[:digit:]]xx$",
  "rq_[1-5]\\w{2}\\b",
  "^$",
  "",
  "a|^b|c$",
  "(?:ab+)*_\\z",
  "\\Arq.\\Bt",
  "[^a-z]:",
];

// Names like Envoy's, and short ones in which the patterns' edges come up.
const names = fc.oneof(
  fc
    .array(fc.constantFrom("envoy_", "cluster", "_upstream", "_rq", "_cx", "_total", "_5xx", "_time", "RQ"), {
      maxLength: 6,
    })
    .map((parts) => parts.join("")),
  fc.string({ unit: fc.constantFrom("a", "b", "c", "_", ":", "R", "q", "5", "x", "t"), maxLength: 8 }),
);

for (const pattern of patterns) {
  test(`automatonOf() finds what RE2 finds: ${pattern}`, () => {
    const automaton = automatonOf(pattern);
    assert.ok(typeof automaton === "object", String(automaton));
    const re2 = RE2JS.compile(pattern);
    fc.assert(fc.property(names, (name) => assert.equal(accepts(automaton, name), re2.matcher(name).find())));
  });
}

test("automatonOf() refuses what is no pattern, and one that would take too much of every proxy", () => {
  assert.equal(automatonOf("(a"), "invalid");
  assert.equal(automatonOf("a.{12}b"), "too large");
  assert.ok(MAX_STATES < 2 ** 12);
});
