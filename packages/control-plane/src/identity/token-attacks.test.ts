import assert from "node:assert/strict";
import { createHmac, createPublicKey, sign } from "node:crypto";
import { test } from "node:test";
import { generateSigningKey } from "@heddle/identity/signing-key.ts";
import { openMemoryStore } from "@heddle/store/memory.ts";
import { authenticateProxy } from "../proxies/authenticate.ts";
import { loadConfig } from "../config.ts";
import { Secrets } from "../secrets.ts";
import { TokenService } from "./token-service.ts";
import { readValidators } from "./validators.ts";

const HOUR = 3_600_000;
const NOW = new Date("2026-01-02T03:04:05Z");
const SECONDS = NOW.getTime() / 1_000;

const store = openMemoryStore();
const secrets = new Secrets(store);
const tokens = new TokenService(secrets, () => NOW);
await tokens.ensureKey({ kind: "user", mesh: "" });
await tokens.ensureKey({ kind: "dataplane", mesh: "default" });
await tokens.ensureKey({ kind: "dataplane", mesh: "other" });
const userKey = (await secrets.read("", "user-token-signing-key-1")) ?? "";
const meshKey = (await secrets.read("default", "dataplane-token-signing-key-default-1")) ?? "";

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const good = { Name: "root", Groups: ["mesh-system:admin"], jti: "id-1", exp: SECONDS + 3_600, nbf: SECONDS - 5 };
const header = { alg: "RS256", typ: "JWT", kid: "1" };

function signed(head: object, claims: object, pem = userKey): string {
  const text = `${encode(head)}.${encode(claims)}`;
  return `${text}.${sign("sha256", Buffer.from(text), pem).toString("base64url")}`;
}

function hmac(secret: string): string {
  const text = `${encode({ ...header, alg: "HS256" })}.${encode(good)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

const publicPem = (type: "spki" | "pkcs1"): string =>
  createPublicKey(userKey).export({ type, format: "pem" }).toString();
const without = (claim: keyof typeof good): object => ({ ...good, [claim]: undefined });

const attacks: readonly (readonly [what: string, token: string, reason: RegExp])[] = [
  ["alg none without signature", `${encode({ ...header, alg: "none" })}.${encode(good)}.`, /malformed/],
  ["alg none with a signature", `${encode({ ...header, alg: "none" })}.${encode(good)}.AAAA`, /"none" is not allowed/],
  ["alg None", `${encode({ ...header, alg: "None" })}.${encode(good)}.AAAA`, /not allowed/],
  ["HS256 with the public key (SPKI)", hmac(publicPem("spki")), /"HS256" is not allowed/],
  ["HS256 with the public key (PKCS#1)", hmac(publicPem("pkcs1")), /"HS256" is not allowed/],
  ["another RSA algorithm", signed({ ...header, alg: "RS512" }, good), /"RS512" is not allowed/],
  ["a key of the attacker in the header", signed({ ...header, jwk: { kty: "RSA" } }, good, meshKey), /does not fit/],
  ["an unknown kid", signed({ ...header, kid: "../../etc/passwd" }, good), /unknown here/],
  [
    "a kid of a hundred thousand characters",
    signed({ ...header, kid: "1".repeat(100_000) }, good),
    /larger than 16384/,
  ],
  ["a kid of ten thousand characters", signed({ ...header, kid: "1".repeat(10_000) }, good), /unknown here/],
  ["a kid that every object has", signed({ ...header, kid: "__proto__" }, good), /unknown here/],
  ["a kid that is no text", signed({ ...header, kid: ["1"] }, good), /does not name its signing key/],
  ["a key set of the attacker", signed({ ...header, jku: "https://127.0.0.1:1/keys" }, good, meshKey), /does not fit/],
  ["a certificate of the attacker", signed({ ...header, x5c: [publicPem("spki")] }, good, meshKey), /does not fit/],
  ["the address of a certificate", signed({ ...header, x5u: "https://127.0.0.1:1/a" }, good, meshKey), /does not fit/],
  ["a header that must be understood", signed({ ...header, crit: ["x"], x: 1 }, good), /malformed/],
  ["no kid", signed({ alg: "RS256" }, good), /does not name its signing key/],
  ["expired", signed(header, { ...good, exp: SECONDS - 1 }), /expired/],
  ["expires right now", signed(header, { ...good, exp: SECONDS }), /expired/],
  ["no expiry", signed(header, without("exp")), /no expiry/],
  ["not yet valid", signed(header, { ...good, nbf: SECONDS + 60 }), /not valid before/],
  ["no id to revoke it by", signed(header, without("jti")), /no id/],
  ["no name", signed(header, without("Name")), /not a user token/],
  ["changed claims", signed(header, good).replace(encode(good), encode({ ...good, Name: "boss" })), /does not fit/],
  ["a dataplane token", signed(header, { ...good, Name: "root", Mesh: "default" }, meshKey), /does not fit/],
];

for (const [what, token, reason] of attacks) {
  test(`TokenService refuses a user token: ${what}`, async () => {
    const verified = await tokens.verify("user", "", token);
    assert.ok(!verified.ok);
    assert.match(verified.reason, reason);
    assert.ok(!verified.reason.includes(token.slice(-20)), "a reason must not quote the token");
  });
}

test("TokenService takes the good token that the attacks are made from, until it is revoked", async () => {
  const token = signed(header, good);
  assert.equal((await tokens.verify("user", "", token)).ok, true);
  const data = Buffer.from("x, id-1").toString("base64");
  const key = { type: "GlobalSecret", mesh: "", name: "user-token-revocations" };
  await store.create({ ...key, labels: {}, spec: { data } });
  tokens.forget("");
  const verified = await tokens.verify("user", "", token);
  assert.match(verified.ok ? "" : verified.reason, /revoked/);
  await store.delete(key);
  tokens.forget("");
});

test("TokenService takes tokens of every key that is there: an old one keeps its kid until its key is deleted", async () => {
  const second = await generateSigningKey();
  await secrets.ensure("", "user-token-signing-key-2", async () => second);
  tokens.forget("");
  assert.equal((await tokens.verify("user", "", signed(header, good))).ok, true);
  const issued = await tokens.issueUserToken({ name: "u", groups: [], validForMillis: HOUR });
  const [head = ""] = (issued.ok ? issued.token : "").split(".");
  assert.equal(JSON.parse(Buffer.from(head, "base64url").toString()).kid, "2");
  // A token of one key under the name of the other.
  assert.equal((await tokens.verify("user", "", signed({ ...header, kid: "2" }, good))).ok, false);
});

const web = {
  type: "Dataplane",
  mesh: "default",
  name: "web",
  labels: {},
  spec: { networking: { address: "192.0.2.1" } },
};

async function proxyRefusal(token: string, mesh = "default"): Promise<string> {
  const options = { tokens, method: "dpToken", identityUsesWorkload: false } as const;
  const answer = await authenticateProxy({ ...web, mesh } as Parameters<typeof authenticateProxy>[0], token, options);
  return answer.ok ? "accepted" : answer.reason;
}

test("authenticateProxy() refuses a user token, a token of another mesh, and one that calls itself of this mesh", async () => {
  const request = { mesh: "default", name: "web", tags: {}, type: "dataplane", validForMillis: HOUR };
  const own = await tokens.issueDataplaneToken(request);
  const foreign = await tokens.issueDataplaneToken({ ...request, mesh: "other" });
  const user = await tokens.issueUserToken({ name: "web", groups: [], validForMillis: HOUR });
  assert.ok(own.ok && foreign.ok && user.ok);
  assert.equal(await proxyRefusal(own.token), "accepted");
  assert.match(await proxyRefusal(own.token, "other"), /does not fit/);
  assert.match(await proxyRefusal(foreign.token), /does not fit/);
  assert.match(await proxyRefusal(user.token), /unknown here|does not fit/);
  // Signed with the right key of this mesh, and yet made out for another one.
  const crossed = signed(header, { ...good, Name: "web", Mesh: "other" }, meshKey);
  assert.match(await proxyRefusal(crossed), /the token is for mesh "other"/);
  assert.equal((await tokens.verify("user", "", own.token)).ok, false);
});

test("readValidators() lets a control plane with public keys alone accept what is signed elsewhere, and issue nothing", async () => {
  const elsewhere = await generateSigningKey();
  const key = createPublicKey(elsewhere).export({ type: "spki", format: "pem" }).toString();
  const config = loadConfig({
    env: {},
    flags: {
      userTokenIssuer: "false",
      userTokenSecrets: "false",
      userTokenPublicKeys: JSON.stringify([{ kid: "ci", key }]),
      dpTokenPublicKeys: [{ kid: "ci", mesh: "default", key }],
    },
  });
  assert.ok(config.ok);
  const own = openMemoryStore();
  const offline = new TokenService(new Secrets(own), () => NOW, await readValidators(config.value));
  await offline.ensureKey({ kind: "user", mesh: "" });
  assert.equal((await own.list({ type: "GlobalSecret" })).total, 0);
  const refused = await offline.issueUserToken({ name: "u", groups: [], validForMillis: HOUR });
  assert.match(refused.ok ? "" : refused.detail, /signed elsewhere/);
  assert.equal((await offline.verify("user", "", signed({ ...header, kid: "ci" }, good, elsewhere))).ok, true);
  assert.equal((await offline.verify("user", "", signed(header, good))).ok, false);
  const claims = { ...good, Name: "web", Mesh: "default" };
  const proxyToken = signed({ ...header, kid: "ci" }, claims, elsewhere);
  assert.equal((await offline.verify("dataplane", "default", proxyToken)).ok, true);
  assert.equal((await offline.verify("dataplane", "other", proxyToken)).ok, false);
});

test("readValidators() refuses a private key where a public one belongs, without quoting it", async () => {
  const config = loadConfig({ env: {}, flags: { userTokenPublicKeys: [{ kid: "1", key: userKey }] } });
  assert.ok(config.ok);
  await assert.rejects(readValidators(config.value), (error: Error) => {
    assert.match(error.message, /apiServer\.authn\.tokens\.validator\.publicKeys\[0\]: must be an RSA public key/);
    return !error.message.includes(userKey.slice(40, 80));
  });
});
