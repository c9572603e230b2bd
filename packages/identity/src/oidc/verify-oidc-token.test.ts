import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { exportJWK, exportSPKI, generateKeyPair } from "jose";
import { whyNoIssuer } from "./issuer.ts";
import { issuerKeys } from "./key-set.ts";
import { signToken, startIssuer } from "./testkit/issuer.ts";
import { claimsIssuer, type OidcTrust, verifyOidcToken } from "./verify-oidc-token.ts";

const NOW = new Date("2026-01-02T03:04:05Z");
const SECONDS = NOW.getTime() / 1_000;
const [own, strangers, rsa, edwards] = await Promise.all([
  generateKeyPair("ES256"),
  generateKeyPair("ES256"),
  generateKeyPair("RS256", { extractable: true }),
  generateKeyPair("EdDSA"),
]);
const issuer = await startIssuer({ "1": own, rsa, edwards });
test.after(() => issuer[Symbol.asyncDispose]());

const base: OidcTrust = {
  issuer: issuer.url,
  clientId: "heddle",
  audience: "heddle",
  usernameClaim: "sub",
  groupsClaim: "groups",
  usernamePrefix: "oidc:",
  groupsPrefix: "oidc:",
};
const keys = issuerKeys(issuer.url, () => NOW);
const good = { iss: issuer.url, aud: "heddle", sub: "jane", iat: SECONDS - 5, exp: SECONDS + 3_600, groups: ["dev"] };

/** The user as text, or the reason why there is none; which never holds a part of the token. */
async function judge(token: string, change: Partial<OidcTrust> = {}): Promise<string> {
  const verified = await verifyOidcToken(token, { trust: { ...base, ...change }, keys, now: NOW });
  if (verified.ok) return `${verified.user.name} in [${verified.user.groups.join(" ")}]`;
  assert.ok(token.length < 20 || !verified.reason.includes(token.slice(-20)), "a reason must not quote the token");
  return verified.reason;
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

async function hmac(secret: string): Promise<string> {
  const text = `${encode({ alg: "HS256", kid: "rsa" })}.${encode(good)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

const accepted: readonly (readonly [what: string, token: Promise<string>, trust?: Partial<OidcTrust>])[] = [
  ["ES256", signToken(good, own)],
  ["RS256", signToken(good, rsa, { alg: "RS256", kid: "rsa" })],
  ["EdDSA", signToken(good, edwards, { alg: "EdDSA", kid: "edwards" })],
  ["several audiences, got by our client", signToken({ ...good, aud: ["heddle", "other"], azp: "heddle" }, own)],
  [
    "an access token for another audience",
    signToken({ ...good, aud: "mesh", client_id: "heddle" }, own, { typ: "at+jwt" }),
    { audience: "mesh" },
  ],
  ["a clock that differs by seconds", signToken({ ...good, nbf: SECONDS + 20 }, own)],
];

for (const [what, token, trust] of accepted) {
  test(`verifyOidcToken() accepts ${what}`, async () => {
    assert.equal(await judge(await token, trust), "oidc:jane in [oidc:dev]");
  });
}

const refused: readonly (readonly [what: string, token: Promise<string> | string, reason: RegExp])[] = [
  ["alg none", `${encode({ alg: "none" })}.${encode(good)}.`, /algorithm is not allowed/],
  ["HS256 with the public key as PEM", exportSPKI(rsa.publicKey).then(hmac), /algorithm is not allowed/],
  [
    "HS256 with the public key as JWK",
    exportJWK(rsa.publicKey).then((key) => hmac(JSON.stringify(key))),
    /not allowed/,
  ],
  [
    "an algorithm that is not on the list",
    `${encode({ alg: "RS512", kid: "rsa" })}.${encode(good)}.AAAA`,
    /not allowed/,
  ],
  ["a stranger's key under a known kid", signToken(good, strangers), /signature does not fit/],
  [
    "a stranger's key in its header",
    exportJWK(strangers.publicKey).then((jwk) => signToken(good, strangers, { jwk })),
    /signature does not fit/,
  ],
  ["an unknown kid", signToken(good, own, { kid: "../../keys" }), /none of the issuer's/],
  ["another issuer", signToken({ ...good, iss: "https://evil.example" }, own), /claim "iss"/],
  ["an issuer with a slash more", signToken({ ...good, iss: `${issuer.url}/` }, own), /claim "iss"/],
  ["another audience", signToken({ ...good, aud: "other" }, own), /another audience/],
  ["no audience", signToken({ ...good, aud: [] }, own), /another audience/],
  ["another client", signToken({ ...good, azp: "other" }, own), /another client/],
  ["another client by RFC 9068", signToken({ ...good, client_id: "other" }, own), /another client/],
  ["several audiences and no client", signToken({ ...good, aud: ["heddle", "other"] }, own), /several audiences/],
  ["expired", signToken({ ...good, exp: SECONDS - 60 }, own), /has expired; log in again/],
  ["no expiry", signToken({ ...good, exp: undefined } as never, own), /claim "exp"/],
  ["not yet valid", signToken({ ...good, nbf: SECONDS + 60 }, own), /compare the clocks/],
  ["a logout token", signToken(good, own, { typ: "logout+jwt" }), /another purpose/],
  ["a logout token that calls itself a JWT", signToken({ ...good, events: {} }, own), /tells of events/],
  ["a critical extension", `${encode({ alg: "ES256", crit: ["x"], x: 1 })}.${encode(good)}.AAAA`, /malformed/],
  ["no token", "x", /malformed/],
  ["no user", signToken({ ...good, sub: undefined } as never, own), /claim "sub" must hold/],
  ["a user that is no text", signToken({ ...good, sub: ["jane"] } as never, own), /claim "sub" must hold/],
  ["a user with a line break", signToken({ ...good, sub: "jane\nroot" }, own), /printable/],
  ["a user with a character that is not seen", signToken({ ...good, sub: "jane\u200b" }, own), /printable/],
  ["a group that is no text", signToken({ ...good, groups: [{}] }, own), /claim "groups" must hold/],
];

for (const [what, token, reason] of refused) {
  test(`verifyOidcToken() refuses ${what}`, async () => {
    assert.match(await judge(await token), reason);
  });
}

const ADMIN = "mesh-system:admin";

test("verifyOidcToken() gives no group that the settings do not name a claim for", async () => {
  const token = await signToken({ ...good, groups: [ADMIN] }, own);
  assert.equal(await judge(token, { groupsClaim: "" }), "oidc:jane in []");
  assert.equal(await judge(token, { groupsClaim: "roles" }), "oidc:jane in []");
  assert.equal(await judge(token), `oidc:jane in [oidc:${ADMIN}]`);
});

test("verifyOidcToken() lets no issuer name the control plane's own users and groups, whatever the prefixes are", async () => {
  const tricks: readonly (readonly [prefix: string, value: string])[] = [
    ["", ADMIN],
    ["", "Mesh-System:admin"],
    ["", " mesh-system:admin"],
    ["", "ｍesh-system:admin"],
    ["mesh-system:", "admin"],
    ["mesh-", "system:admin"],
    ["m", "esh-system:authenticated"],
  ];
  for (const [prefix, value] of tricks) {
    const asUser = await judge(await signToken({ ...good, sub: value }, own), { usernamePrefix: prefix });
    assert.match(asUser, /which no issuer may give/, `user ${prefix}${value}`);
    const asGroup = await judge(await signToken({ ...good, groups: ["dev", value] }, own), { groupsPrefix: prefix });
    assert.match(asGroup, /which no issuer may give/, `group ${prefix}${value}`);
  }
});

test("verifyOidcToken() takes an e-mail address for a name only when the issuer has verified it", async () => {
  const email = { usernameClaim: "email" };
  const claims = { ...good, email: "jane@example.com" };
  assert.match(await judge(await signToken(claims, own), email), /not verified/);
  assert.match(await judge(await signToken({ ...claims, email_verified: "true" }, own), email), /not verified/);
  const verified = await signToken({ ...claims, email_verified: true }, own);
  assert.equal(await judge(verified, email), "oidc:jane@example.com in [oidc:dev]");
});

test("claimsIssuer() takes no token larger than 16 KiB and nothing that is no token", async () => {
  assert.equal(claimsIssuer(await signToken(good, own), issuer.url), true);
  assert.equal(claimsIssuer(await signToken({ ...good, filler: "x".repeat(16 * 1024) }, own), issuer.url), false);
  assert.equal(claimsIssuer("a.b.c", issuer.url), false);
});

test("whyNoIssuer() wants https, but for this machine", () => {
  for (const issuer of [
    "https://login.example.com",
    "https://x.example/realms/a",
    "http://127.0.0.1:8080",
    "http://[::1]:1",
  ])
    assert.equal(whyNoIssuer(issuer), undefined, issuer);
  for (const issuer of [
    "http://login.example.com",
    "http://localhost.evil.example",
    "ftp://localhost",
    "login",
    "https://a:b@c",
    "https://c?x",
    "https://c#",
  ])
    assert.equal(typeof whyNoIssuer(issuer), "string", issuer);
});
