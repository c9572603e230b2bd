import assert from "node:assert/strict";
import { test } from "node:test";
import { anySpec } from "@heddle/engine/testkit/any-spec.ts";
import { type Kind, kindRegistry } from "@heddle/model/kind.ts";
import { parseResource } from "@heddle/model/parse-resource.ts";
import fc from "fast-check";
import { policies } from "./index.ts";

// Written into any field that takes a regular expression: each is answered at once, and none is accepted.
const HOSTILE = {
  "of a megabyte": "(a+)+".repeat(200_000),
  "of a megabyte of brackets": "(".repeat(1_000_000),
  "with nested counts": "((((a{1000}){1000}){1000}){1000}){1000}",
  "with counts that stay below each limit": "((a{10}){10}){10}".repeat(60),
  "with classes by the thousand": ".{1000}".repeat(146),
  "with properties by the thousand": "\\pL{1000}".repeat(100),
  "that looks back": "(a+)+\\1$",
};
const LIMIT = 50;
const UNCLOSED = "(";
/** Beside which other fields a text is a regular expression is left to chance, so each field gets some. */
const TRIES = 12;

const registry = kindRegistry(policies.map(({ kind }) => kind));
// Patches are Envoy's own messages, of which Envoy judges.
const kinds = policies.map(({ kind }) => kind).filter(({ type }) => type !== "MeshProxyPatch");
const fields = new Map(kinds.flatMap((kind) => [...patternsOf(kind)]));

test("every field with a regular expression is known", () => {
  for (const each of [
    "MeshHTTPRoute to.rules.matches.path.value",
    "MeshHTTPRoute to.rules.matches.headers.value",
    "MeshHTTPRoute to.rules.matches.queryParams.value",
    "MeshRetry to.default.http.retriableRequestHeaders.value",
    "MeshRetry to.default.http.retriableResponseHeaders.value",
    "MeshMetric default.sidecar.profiles.exclude.match",
  ]) {
    assert.ok(fields.has(each), `${each} is not among ${[...fields.keys()].join(", ")}`);
  }
});

for (const [field, { kind, at, spec }] of fields) {
  for (const [what, pattern] of Object.entries(HOSTILE)) {
    test(`a pattern ${what} in ${field} is refused within ${LIMIT} ms`, () => {
      const written = withText(spec, at, pattern);
      // The machine may be busy with something else once, not three times.
      const times = [1, 2, 3].map(() => {
        const began = performance.now();
        assert.notDeepEqual(violationsOf(kind, written), []);
        return performance.now() - began;
      });
      assert.ok(Math.min(...times) < LIMIT, `it took ${times.map((each) => each.toFixed(0)).join(", ")} ms`);
    });
  }
}

interface PatternField {
  readonly kind: Kind;
  readonly at: readonly string[];
  /** Accepted as it is. */
  readonly spec: unknown;
}

/** Fields of a kind that complain of a bracket that nobody closes, found by trying. */
function patternsOf(kind: (typeof policies)[number]["kind"]): ReadonlyMap<string, PatternField> {
  const found = new Map<string, PatternField>();
  const tried = new Map<string, number>();
  for (const spec of fc.sample(anySpec(kind), { numRuns: 150, seed: 1 })) {
    for (const at of textsIn(spec)) {
      const name = `${kind.type} ${at.filter((step) => !/^\d+$/.test(step)).join(".")}`;
      const before = tried.get(name) ?? 0;
      if (found.has(name) || before >= TRIES) continue;
      tried.set(name, before + 1);
      const said = violationsOf(kind, withText(spec, at, UNCLOSED));
      if (said.some((message) => message.includes('must close every "("'))) found.set(name, { kind, at, spec });
    }
  }
  return found;
}

function violationsOf(kind: Kind, spec: unknown): readonly string[] {
  const parsed = parseResource(registry, { type: kind.type, name: "a", spec });
  return parsed.ok ? [] : parsed.violations.map(({ message }) => message);
}

function textsIn(value: unknown): readonly (readonly string[])[] {
  if (typeof value === "string") return [[]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => textsIn(inner).map((at) => [key, ...at]));
}

function withText(value: unknown, [step, ...rest]: readonly string[], text: string): unknown {
  if (step === undefined) return text;
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === step ? withText(item, rest, text) : item));
  const record = value as Readonly<Record<string, unknown>>;
  return { ...record, [step]: withText(record[step], rest, text) };
}
