import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { duration, nearest, parseWith, percentage, port, stringMap } from "./schema.ts";

const schema = z.strictObject({
  timeout: duration().optional(),
  ports: z.array(port()).min(1).max(2).optional(),
  mode: z.enum(["Strict", "Permissive"]).optional(),
  labels: stringMap().optional(),
  share: percentage().optional(),
  required: z.boolean(),
});

function wrong(raw: object): Record<string, string> {
  const parsed = parseWith(schema, { required: true, ...raw }, ["spec"]);
  assert.equal(parsed.ok, false);
  return Object.fromEntries(parsed.ok ? [] : parsed.violations.map(({ field, message }) => [field, message]));
}

const cases: readonly [string, object, Record<string, string>][] = [
  ["what is missing", { required: undefined }, { "spec.required": "must be set" }],
  ["what has another type", { required: "yes" }, { "spec.required": 'must be a boolean, not "yes"' }],
  ["a duration that is none", { timeout: 5 }, { "spec.timeout": 'must be a duration such as "5s" or "1h30m", not 5' }],
  ["a number out of bounds", { ports: [0] }, { "spec.ports[0]": "must be at least 1, not 0" }],
  ["a list that is empty", { ports: [] }, { "spec.ports": "must not be empty" }],
  ["a list that is too long", { ports: [1, 2, 3] }, { "spec.ports": "must have at most 2 items" }],
  [
    "a word that is nearly right",
    { mode: "STRICT" },
    { "spec.mode": 'must be one of "Strict", "Permissive", did you mean "Strict"?' },
  ],
  ["a word that is not", { mode: "off" }, { "spec.mode": 'must be one of "Strict", "Permissive", not "off"' }],
  ["a label that is no text", { labels: { "a.b/c": 1 } }, { "spec.labels.a.b/c": "must be a string, not 1" }],
  ["a share over the top", { share: "100.1" }, { "spec.share": 'must be a share of 0 to 100 percent, such as "12.5"' }],
  ["an unknown field", { timeOut: "5s" }, { "spec.timeOut": 'unknown field, did you mean "timeout"?' }],
];
for (const [what, raw, violations] of cases) {
  test(`parseWith() names ${what}`, () => assert.deepEqual(wrong(raw), violations));
}

test("parseWith() names every mistake at once", () => {
  assert.deepEqual(Object.keys(wrong({ timeout: "x", mode: 1, nonsense: 1, required: undefined })).toSorted(), [
    "spec.mode",
    "spec.nonsense",
    "spec.required",
    "spec.timeout",
  ]);
});

test("percentage() reads whole numbers and texts with decimals", () => {
  for (const share of [0, 100, "0", "12.5", "99.9999"]) assert.ok(parseWith(percentage(), share).ok, String(share));
  for (const share of [-1, 101, 1.5, "1e1", "-1", "", "100.00001", " 5"]) {
    assert.equal(parseWith(percentage(), share).ok, false, String(share));
  }
});

const guesses: readonly [string, string | undefined][] = [
  ["connectTimeout", "connectionTimeout"],
  ["CONNECTIONTIMEOUT", "connectionTimeout"],
  ["idleTimout", "idleTimeout"],
  ["htp", "http"],
  ["timeout", undefined],
  ["retries", undefined],
  ["x".repeat(1_000_000), undefined],
];
for (const [text, guess] of guesses) {
  test(`nearest() takes ${text.slice(0, 20)} for ${guess ?? "nothing that is there"}`, () => {
    assert.equal(nearest(text, ["connectionTimeout", "idleTimeout", "http"]), guess);
  });
}
