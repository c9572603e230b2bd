import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutCredentials } from "./redact.ts";

const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ3ZWItMSJ9.c2lnbmF0dXJl-_x";

const replaced = [
  [`"value": "${token}"`, '"value": "[redacted]"'],
  [`a Bearer ${token}, in words`, "a Bearer [redacted], in words"],
  [
    '{"key": "authorization",\n   "value": "no \\"token\\" at all"}',
    '{"key": "authorization",\n   "value": "[redacted]"}',
  ],
  ['{"key":"Proxy-Authorization","raw_value":"QmFzaWM="}', '{"key":"Proxy-Authorization","raw_value":"[redacted]"}'],
] as const;

for (const [text, expected] of replaced) {
  test(`withoutCredentials() replaces the secret in ${text.slice(0, 30)}`, () => {
    assert.equal(withoutCredentials(text), expected);
  });
}

test("withoutCredentials() leaves everything else as it is, and is quick on what only looks like a token", () => {
  const plain = '{"key": "x-team", "value": "eyJ is how JSON begins"} cluster.eyJ.rq_total: 3';
  assert.equal(withoutCredentials(plain), plain);
  const hostile = `${"eyJa".repeat(500_000)}"key": "authorization",${" ".repeat(500_000)}`;
  const begin = performance.now();
  assert.equal(withoutCredentials(hostile), hostile);
  assert.ok(performance.now() - begin < 2_000, "the time must not grow with the square of the length");
});
