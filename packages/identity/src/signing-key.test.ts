import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import type { Parsed } from "@heddle/model/violation.ts";
import { generateSigningKey, publicKeyOf, readSigningKey, readVerificationKey } from "./signing-key.ts";
import { valueOf } from "./testkit.ts";

const pem = await generateSigningKey();
const key = valueOf(readSigningKey(pem));
const publicHalf = createPublicKey(key);

test("generateSigningKey() makes the RSA-2048 key that Kuma reads", () => {
  assert.match(pem, /^-----BEGIN RSA PRIVATE KEY-----\n/);
  assert.equal(key.asymmetricKeyDetails?.modulusLength, 2048);
});

test("publicKeyOf() gives the public half that Kuma reads", () => {
  const text = valueOf(publicKeyOf(pem));
  assert.match(text, /^-----BEGIN RSA PUBLIC KEY-----\n/);
  assert.ok(valueOf(readVerificationKey(text)).equals(publicHalf));
});

test("readSigningKey() reads PKCS#1 and PKCS#8, text and bytes, and the bare bytes of old secrets", () => {
  const pkcs8 = key.export({ type: "pkcs8", format: "pem" }).toString();
  const forms = [pem, Buffer.from(pem), pkcs8, new Uint8Array(key.export({ type: "pkcs1", format: "der" }))];
  for (const form of forms) assert.ok(valueOf(readSigningKey(form)).equals(key));
});

test("readVerificationKey() reads public keys in both forms, and takes the public half of a private key", () => {
  const pkcs1 = publicHalf.export({ type: "pkcs1", format: "pem" }).toString();
  const spki = publicHalf.export({ type: "spki", format: "pem" }).toString();
  const forms = [pkcs1, spki, Buffer.from(spki), pem, key.export({ type: "pkcs1", format: "der" })];
  for (const form of forms) {
    const read = valueOf(readVerificationKey(form));
    assert.ok(read.equals(publicHalf));
    assert.equal(read.type, "public");
  }
});

const rsa1024 = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
const elliptic = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const refused = [
  ["text that is no key", "secret-looking text", /must be an RSA private key in PEM/],
  ["a broken PEM", pem.slice(0, 200), /must be an RSA private key in PEM/],
  ["a public key", valueOf(publicKeyOf(pem)), /must be an RSA private key in PEM/],
  ["a short key", rsa1024.export({ type: "pkcs8", format: "pem" }).toString(), /at least 2048 bits, not 1024/],
  ["an elliptic key", elliptic.export({ type: "pkcs8", format: "pem" }).toString(), /must be an RSA key, not ec/],
] as const;

for (const [what, text, message] of refused) {
  test(`readSigningKey() refuses ${what}, names the field and quotes nothing`, () => {
    assertRefused(readSigningKey(text, "--signing-key-path"), message, text);
  });
}

test("readVerificationKey() refuses what is no key", () => {
  assertRefused(readVerificationKey("hello", "--signing-key-path"), /must be an RSA public key in PEM/, "hello");
});

function assertRefused(result: Parsed<unknown>, message: RegExp, text: string): void {
  assert.ok(!result.ok);
  assert.equal(result.violations[0]?.field, "--signing-key-path");
  assert.match(result.violations[0].message, message);
  assert.ok(!result.violations[0].message.includes(text));
}
