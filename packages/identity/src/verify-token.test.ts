import assert from "node:assert/strict";
import { createHmac, createPublicKey, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import type { DataplaneClaims } from "./dataplane-token.ts";
import { issueToken } from "./issue-token.ts";
import type { TokenKind } from "./token-kind.ts";
import { after, NOW } from "./testkit.ts";
import { LARGEST_TOKEN_BYTES, verifyToken, type VerificationContext } from "./verify-token.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const signer = { kid: "1", key: privateKey };
const context: VerificationContext = { keys: new Map([["1", publicKey]]), revoked: new Set(), now: NOW };
const claims: DataplaneClaims = {
  name: "backend-1",
  mesh: "default",
  tags: { "kuma.io/service": ["backend"] },
  type: "dataplane",
  workload: "backend",
};
const good = await issueToken("dataplane", claims, signer, { validForSeconds: 3_600, now: NOW });

test("issueToken() writes what Kuma writes", () => {
  const [header, payload] = good.split(".").map((part) => Buffer.from(part, "base64url").toString());
  assert.deepEqual(JSON.parse(header ?? ""), { alg: "RS256", kid: "1", typ: "JWT" });
  const { jti, ...rest } = JSON.parse(payload ?? "") as Record<string, unknown>;
  const second = NOW.getTime() / 1000;
  assert.match(String(jti), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual(rest, {
    Name: "backend-1",
    Mesh: "default",
    Tags: { "kuma.io/service": ["backend"] },
    Type: "dataplane",
    Workload: "backend",
    iat: second,
    nbf: second - 5,
    exp: second + 3_600,
  });
});

const plain = { noNullPrototype: true };
const text = fc.string({ maxLength: 30 });
const name = fc.string({ minLength: 1, maxLength: 30 });
const tags = fc.dictionary(text, fc.array(text, { maxLength: 4 }), { maxKeys: 6, noNullPrototype: true });

test("verifyToken() gives back the claims of any dataplane token, with its id and end", async () => {
  const anyClaims = fc.record({ name: text, mesh: name, tags, type: text, workload: text }, plain);
  await assertRoundTrip("dataplane", anyClaims);
});

test("verifyToken() gives back the claims of any user token", async () => {
  await assertRoundTrip("user", fc.record({ name, groups: fc.array(text) }, plain));
});

test("verifyToken() gives back the claims of any zone token", async () => {
  await assertRoundTrip("zone", fc.record({ zone: name, scope: fc.array(text) }, plain));
});

test("verifyToken() refuses a token of which any character is changed", async () => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+/= \n";
  const change = fc.record({ at: fc.nat(good.length - 1), to: fc.constantFrom(...alphabet) });
  const property = fc.asyncProperty(change, async ({ at, to }) => {
    fc.pre(good[at] !== to);
    const result = await verifyToken("dataplane", good.slice(0, at) + to + good.slice(at + 1), context);
    assert.equal(result.ok, false, `character ${at} may become ${JSON.stringify(to)}`);
  });
  await fc.assert(property, { numRuns: 500 });
});

test("verifyToken() refuses each other spelling of the last character, which has bits to spare", async () => {
  const others = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"].filter(
    (c) => c !== good.at(-1),
  );
  for (const other of others) {
    assert.equal((await verifyToken("dataplane", good.slice(0, -1) + other, context)).ok, false);
  }
});

test("verifyToken() never throws and never accepts what nobody issued", async () => {
  const anyText = fc.oneof(
    fc.string(),
    fc.array(fc.base64String(), { minLength: 3, maxLength: 3 }).map((p) => p.join(".")),
  );
  const property = fc.asyncProperty(anyText, async (token) => {
    assert.equal((await verifyToken("dataplane", token, context)).ok, false);
  });
  await fc.assert(property, { numRuns: 500 });
});

test("verifyToken() accepts a token from five seconds before it was issued to the second before it expires", async () => {
  for (const [seconds, ok] of [
    [-6, false],
    [-5, true],
    [3_599, true],
    [3_600, false],
  ] as const) {
    assert.equal((await verifyToken("dataplane", good, { ...context, now: after(seconds) })).ok, ok, `${seconds} s`);
  }
});

test("verifyToken() says when a token expired", async () => {
  await assertRefused(good, /it expired at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.000Z; issue a new one$/, {
    now: after(7_200),
  });
});

test("verifyToken() says when a token begins, and thinks of clocks", async () => {
  await assertRefused(good, /it is not valid before \d{4}-.*compare the clocks/, { now: after(-60) });
});

test("verifyToken() refuses a revoked token by its id", async () => {
  const result = await verifyToken("dataplane", good, context);
  assert.ok(result.ok);
  const other = new Set([result.id, "another"]);
  await assertRefused(good, new RegExp(`it was revoked \\(id "${result.id}"\\)`), { revoked: other });
});

test("verifyToken() refuses a signing key it does not know, and names it", async () => {
  await assertRefused(good, /its signing key "1" is unknown here/, { keys: new Map([["2", publicKey]]) });
});

test("verifyToken() refuses a signature by another key of the same number", async () => {
  const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey;
  await assertRefused(good, /its signature does not fit signing key "1"/, { keys: new Map([["1", other]]) });
});

test("verifyToken() refuses another kind of token, even from the same key", async () => {
  const user = await issueToken("user", { name: "alice", groups: [] }, signer, { validForSeconds: 60, now: NOW });
  await assertRefused(user, /its claim "Mesh" is missing, so it is not a dataplane token/);
});

const claimsNow = { Mesh: "default", jti: "1", exp: after(60).getTime() / 1000 };
const rs256 = { alg: "RS256", kid: "1", typ: "JWT" };

test("verifyToken() is not fooled into using the public key as a shared secret", async () => {
  for (const type of ["spki", "pkcs1"] as const) {
    const secret = publicKey.export({ type, format: "pem" });
    const input = unsigned({ alg: "HS256", kid: "1" }, claimsNow);
    const forged = `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
    await assertRefused(forged, /its algorithm "HS256" is not allowed, only RS256 is/);
  }
});

test("verifyToken() refuses a token without signature", async () => {
  const input = unsigned({ alg: "none", kid: "1" }, claimsNow);
  await assertRefused(`${input}.`, /it is malformed/);
  await assertRefused(`${input}.AAAA`, /its algorithm "none" is not allowed/);
});

test("verifyToken() refuses other algorithms, even with a right signature", async () => {
  const input = unsigned({ alg: "RS512", kid: "1" }, claimsNow);
  const signature = sign("sha512", Buffer.from(input), privateKey).toString("base64url");
  await assertRefused(`${input}.${signature}`, /its algorithm "RS512" is not allowed/);
});

const signedButWrong: readonly (readonly [string, object, object, RegExp])[] = [
  ["that names no key", { alg: "RS256" }, claimsNow, /it does not name its signing key \("kid"\)/],
  ["whose key's name is a number", { alg: "RS256", kid: 1 }, claimsNow, /it does not name its signing key/],
  ["without algorithm", { kid: "1" }, claimsNow, /its algorithm that it names is not allowed/],
  ["with critical extensions", { ...rs256, crit: ["x"], x: 1 }, claimsNow, /it is malformed/],
  ["with an unencoded payload", { ...rs256, crit: ["b64"], b64: false }, claimsNow, /it is malformed/],
  ["without expiry", rs256, { Mesh: "default", jti: "1" }, /it has no expiry \("exp"\)/],
  ["with an expiry that is text", rs256, { ...claimsNow, exp: "2030" }, /its claim "exp" must be a time/],
  ["with an expiry beyond all dates", rs256, { ...claimsNow, exp: 1e300 }, /its claim "exp" must be a time/],
  ["without id", rs256, { ...claimsNow, jti: undefined }, /it has no id \("jti"\)/],
  ["whose mesh is a number", rs256, { ...claimsNow, Mesh: 1 }, /its claim "Mesh" must be a text/],
  ["whose tags are a list", rs256, { ...claimsNow, Tags: ["a"] }, /its claim "Tags" must map each tag/],
  ["whose tag has one value", rs256, { ...claimsNow, Tags: { a: "b" } }, /its claim "Tags" must map each tag/],
  ["whose payload is a list", rs256, [claimsNow], /it is malformed/],
];

for (const [what, header, payload, reason] of signedButWrong) {
  test(`verifyToken() refuses a token ${what}`, async () => {
    await assertRefused(signedBy(privateKey, header, payload), reason);
  });
}

test("verifyToken() takes null for an empty list or map, as Go writes it", async () => {
  const token = signedBy(privateKey, rs256, { ...claimsNow, Name: "", Tags: null, Type: "" });
  const result = await verifyToken("dataplane", token, context);
  assert.deepEqual(result.ok && result.claims, { name: "", mesh: "default", tags: {}, type: "", workload: "" });
});

test("verifyToken() refuses a token of more than 16 KiB before it looks inside", async () => {
  const fits = await issueToken("dataplane", { ...claims, name: "x".repeat(10_000) }, signer, {
    validForSeconds: 60,
    now: NOW,
  });
  assert.equal((await verifyToken("dataplane", fits, context)).ok, true);
  await assertRefused("x".repeat(LARGEST_TOKEN_BYTES + 1), /it is larger than 16384 bytes/);
});

test("verifyToken() shortens what a stranger wrote, and keeps it on one line", async () => {
  const kid = `\u001b[31m\n${"x".repeat(5_000)}`;
  const result = await verifyToken("dataplane", signedBy(privateKey, { ...rs256, kid }, claimsNow), context);
  assert.ok(!result.ok);
  assert.ok(result.reason.length < 250);
  assert.ok([...result.reason].every((character) => character >= " "));
});

test("verifyToken() throws when the control plane itself brings a wrong key", async () => {
  const wrong = { ...context, keys: new Map([["1", generateKeyPairSync("ed25519").publicKey]]) };
  await assert.rejects(verifyToken("dataplane", good, wrong));
});

test("verifyToken() verifies with the public half of the signing key", async () => {
  const keys = new Map([["1", createPublicKey(privateKey)]]);
  assert.equal((await verifyToken("dataplane", good, { ...context, keys })).ok, true);
});

async function assertRoundTrip<Kind extends TokenKind>(
  kind: Kind,
  anyClaims: fc.Arbitrary<Parameters<typeof issueToken<Kind>>[1]>,
): Promise<void> {
  const property = fc.asyncProperty(anyClaims, fc.integer({ min: 1, max: 1e9 }), async (written, seconds) => {
    const result = await verifyToken(
      kind,
      await issueToken(kind, written, signer, { validForSeconds: seconds, now: NOW }),
      context,
    );
    assert.ok(result.ok, result.ok ? "" : result.reason);
    assert.deepEqual(result.claims, written);
    assert.deepEqual(result.expiresAt, after(seconds));
  });
  await fc.assert(property, { numRuns: 50 });
}

async function assertRefused(token: string, reason: RegExp, changes: Partial<VerificationContext> = {}): Promise<void> {
  const result = await verifyToken("dataplane", token, { ...context, ...changes });
  assert.ok(!result.ok, "it was accepted");
  assert.match(result.reason, reason);
  assert.match(result.reason, /^the dataplane token is not accepted: /);
  const parts = token.split(".").filter((part) => part.length > 8);
  assert.ok(!parts.some((part) => result.reason.includes(part)), "the reason quotes the token");
}

function signedBy(key: KeyObject, header: object, payload: object): string {
  const input = unsigned(header, payload);
  return `${input}.${sign("sha256", Buffer.from(input), key).toString("base64url")}`;
}

function unsigned(header: object, payload: object): string {
  return [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
}
