import assert from "node:assert/strict";
import { test } from "node:test";
import { type CompactJWSHeaderParameters, errors, type FlattenedJWSInput, generateKeyPair } from "jose";
import { COOL_DOWN_MILLIS, issuerKeys, LIFE_MILLIS, NoKeys, REFRESH_MILLIS } from "./key-set.ts";
import { startIssuer } from "./testkit/issuer.ts";

const pair = await generateKeyPair("ES256");
const NO_TOKEN = {} as FlattenedJWSInput;
const header = (kid: string): CompactJWSHeaderParameters => ({ alg: "ES256", kid });

function clock(): { readonly now: () => Date; readonly pass: (millis: number) => void } {
  let millis = Date.parse("2026-01-02T03:04:05Z");
  return { now: () => new Date(millis), pass: (more) => void (millis += more) };
}

test("issuerKeys() asks once for a thousand tokens with unknown keys, and again after the cool-down", async () => {
  await using issuer = await startIssuer({ "1": pair });
  const { now, pass } = clock();
  const keys = issuerKeys(issuer.url, now);
  const storm = async (): Promise<void> => {
    const all = Array.from({ length: 1_000 }, async (_, index) => await keys(header(`unknown-${index}`), NO_TOKEN));
    const outcomes = await Promise.allSettled(all);
    assert.ok(outcomes.every((each) => each.status === "rejected" && each.reason instanceof errors.JWKSNoMatchingKey));
  };
  await storm();
  assert.equal(issuer.asked(), 1);
  await keys(header("1"), NO_TOKEN);
  pass(COOL_DOWN_MILLIS);
  await storm();
  await storm();
  assert.equal(issuer.asked(), 2);
});

test("issuerKeys() finds a key that was rotated in, once the cool-down is over", async () => {
  await using issuer = await startIssuer({ "1": pair });
  const { now, pass } = clock();
  const keys = issuerKeys(issuer.url, now);
  await keys(header("1"), NO_TOKEN);
  await issuer.publish({ "2": pair });
  await assert.rejects(async () => await keys(header("2"), NO_TOKEN), errors.JWKSNoMatchingKey);
  pass(COOL_DOWN_MILLIS);
  await keys(header("2"), NO_TOKEN);
  await assert.rejects(async () => await keys(header("1"), NO_TOKEN), errors.JWKSNoMatchingKey);
});

test("issuerKeys() goes on with the last keys while the issuer is down, until they are too old, and recovers", async () => {
  await using issuer = await startIssuer({ "1": pair });
  const { now, pass } = clock();
  const keys = issuerKeys(issuer.url, now);
  await keys(header("1"), NO_TOKEN);
  issuer.status = 503;
  pass(REFRESH_MILLIS);
  await keys(header("1"), NO_TOKEN);
  pass(LIFE_MILLIS - REFRESH_MILLIS);
  for (let call = 0; call < 5; call++) {
    await assert.rejects(async () => await keys(header("1"), NO_TOKEN), /cannot be read: .* status 503/);
  }
  issuer.status = 200;
  await assert.rejects(async () => await keys(header("1"), NO_TOKEN), NoKeys, "the cool-down holds for failures too");
  pass(COOL_DOWN_MILLIS);
  await keys(header("1"), NO_TOKEN);
  assert.equal(issuer.asked(), 2);
});

const broken: readonly (readonly [what: string, document: object, status: number, reason: RegExp])[] = [
  ["a document of another issuer", { issuer: "https://login.example.com" }, 200, /describes another issuer/],
  ["keys over plain HTTP elsewhere", { jwks_uri: "http://192.0.2.1/keys" }, 200, /no jwks_uri that is https/],
  ["no keys", { jwks_uri: 7 }, 200, /no jwks_uri that is https/],
  ["a redirect", {}, 302, /redirect/],
  ["an answer without end", { filler: "x".repeat(300_000) }, 200, /more than 262144 bytes/],
];

for (const [what, document, status, reason] of broken) {
  test(`issuerKeys() takes no keys from ${what}`, async () => {
    await using issuer = await startIssuer({ "1": pair });
    Object.assign(issuer, { document, status });
    await assert.rejects(async () => await issuerKeys(issuer.url, () => new Date())(header("1"), NO_TOKEN), reason);
    assert.equal(issuer.asked(), 0);
  });
}
