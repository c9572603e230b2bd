import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { BACKDATED_SECONDS } from "./certificate.ts";
import fc from "fast-check";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import * as x509 from "@peculiar/asn1-x509";
import { createCa, DEFAULT_CA_VALIDITY_SECONDS, meshCaRequest } from "./ca.ts";
import { basicConstraints, keyUsage } from "./extensions.ts";
import type { KeyType } from "./key-pair.ts";
import { issueCertificate } from "./leaf.ts";
import { loadCa } from "./load-ca.ts";
import { after, newCa, newIntermediate, NOW, parsed, valueOf } from "./testkit.ts";

for (const keyType of ["ecdsa-p256", "rsa-2048"] satisfies KeyType[]) {
  test(`createCa() makes a ${keyType} root that loadCa() takes`, async () => {
    const pair = await createCa(meshCaRequest("default", keyType, NOW));
    const certificate = parsed(pair.certificatePem);
    assert.equal(certificate.subject, "O=Heddle\nOU=Mesh\nCN=default");
    assert.equal(certificate.issuer, certificate.subject);
    assert.equal(certificate.subjectAltName, "URI:spiffe://default");
    assert.ok(certificate.ca);
    assert.ok(certificate.verify(certificate.publicKey));
    assert.deepEqual(certificate.validFromDate, after(-BACKDATED_SECONDS));
    assert.deepEqual(certificate.validToDate, after(DEFAULT_CA_VALIDITY_SECONDS));
    const ca = valueOf(loadCa(pair, NOW));
    assert.equal(ca.certificatePem, pair.certificatePem);
    assert.equal(ca.trustAnchorPem, pair.certificatePem);
    assert.equal(ca.intermediatesPem, "");
    assert.deepEqual(ca.notAfter, after(DEFAULT_CA_VALIDITY_SECONDS));
  });
}

test("createCa() makes CAs that live past 2050, where certificates write years differently", async () => {
  const century = 100 * 365 * 24 * 60 * 60;
  const pair = await createCa({ ...meshCaRequest("default", "ecdsa-p256", NOW), validitySeconds: century });
  assert.deepEqual(parsed(pair.certificatePem).validToDate, after(century));
});

test("createCa() cuts a common name that is longer than X.520 allows, and keeps the whole URI", async () => {
  const domain = `${"zone".repeat(30)}.mesh.local`;
  const pair = await createCa(meshCaRequest(domain, "ecdsa-p256", NOW));
  assert.match(parsed(pair.certificatePem).subject, /CN=(zone){16}$/);
  assert.equal(parsed(pair.certificatePem).subjectAltName, `URI:spiffe://${domain}`);
});

test("loadCa() refuses a certificate that is no PEM", async () => {
  const pair = await createCa(meshCaRequest("default", "ecdsa-p256", NOW));
  assertRefused({ ...pair, certificatePem: "hello" }, "certificate", /must be PEM/);
});

test("loadCa() refuses PEM that holds no certificate", async () => {
  const pair = await createCa(meshCaRequest("default", "ecdsa-p256", NOW));
  const certificatePem = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
  assertRefused({ ...pair, certificatePem }, "certificate", /cannot be read/);
});

test("loadCa() names both fields when both are wrong, by the paths of the caller", () => {
  const paths = { certificate: "spec.ca.certificate", key: "spec.ca.privateKey" };
  const result = loadCa({ certificatePem: "", keyPem: "" }, NOW, paths);
  assert.ok(!result.ok);
  assert.deepEqual(
    result.violations.map(({ field }) => field),
    ["spec.ca.certificate", "spec.ca.privateKey"],
  );
});

test("loadCa() refuses a key that cannot be read, without quoting it", async () => {
  const pair = await createCa(meshCaRequest("default", "ecdsa-p256", NOW));
  const keyPem = pair.keyPem.replace("PRIVATE KEY-----\n", "PRIVATE KEY-----\nsecret");
  assertRefused({ ...pair, keyPem }, "key", /^must be a private key in PEM without a passphrase/);
  assert.doesNotMatch(JSON.stringify(loadCa({ ...pair, keyPem }, NOW)), /secret/);
});

test("loadCa() refuses the key of another CA", async () => {
  const pair = await createCa(meshCaRequest("default", "ecdsa-p256", NOW));
  const other = await createCa(meshCaRequest("default", "ecdsa-p256", NOW));
  assertRefused({ ...pair, keyPem: other.keyPem }, "key", /do not belong together/);
});

test("loadCa() refuses a key that is too short or of a kind that Envoy does not take", async () => {
  const pair = await createCa(meshCaRequest("default", "ecdsa-p256", NOW));
  const short = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
  const edwards = generateKeyPairSync("ed25519").privateKey;
  for (const key of [short, edwards]) {
    const keyPem = key.export({ type: "pkcs8", format: "pem" }).toString();
    assertRefused({ ...pair, keyPem }, "key", /at least 2048 bits/);
  }
});

test("loadCa() refuses a CA whose time is over, or has not come", async () => {
  const pair = await createCa({ ...meshCaRequest("default", "ecdsa-p256", NOW), validitySeconds: 60 });
  assertRefused(pair, "certificate[0]", /it ended at/, after(60));
  assertRefused(pair, "certificate[0]", /it begins at/, after(-BACKDATED_SECONDS - 1));
  assert.ok(loadCa(pair, after(59)).ok);
});

test("loadCa() refuses the certificate of a workload", async () => {
  const issued = await issueCertificate(await newCa(), {
    uris: ["spiffe://default/backend"],
    validitySeconds: 60,
    usages: ["server"],
    now: NOW,
  });
  assertRefused(issued, "certificate[0]", /CA=true is missing/);
});

test("loadCa() refuses a CA that may not sign certificates", async () => {
  const pair = await newIntermediate(await newCa(), [basicConstraints(true), keyUsage(["digitalSignature"])]);
  assertRefused(pair, "certificate[0]", /"keyCertSign" is missing/);
});

test("loadCa() refuses a CA with key agreement, as X.509-SVID demands", async () => {
  const flags = x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.keyAgreement;
  const extnValue = new OctetString(AsnConvert.serialize(new x509.KeyUsage(flags)));
  const extension = new x509.Extension({ extnID: x509.id_ce_keyUsage, critical: true, extnValue });
  const usage = new Uint8Array(AsnConvert.serialize(extension));
  const pair = await newIntermediate(await newCa(), [basicConstraints(true), usage]);
  assertRefused(pair, "certificate[0]", /must not have the key usage "keyAgreement"/);
});

test("loadCa() wants the chain in order, and ends with the member that ends first", async () => {
  const root = await newCa();
  const intermediate = await newIntermediate(root);
  const inOrder = { ...intermediate, certificatePem: intermediate.certificatePem + root.certificatePem };
  assert.deepEqual(valueOf(loadCa(inOrder, NOW)).notAfter, after(3_600));
  const stranger = { ...intermediate, certificatePem: intermediate.certificatePem + (await newCa()).certificatePem };
  assertRefused(stranger, "certificate[1]", /must be the issuer of certificate\[0\]/);
});

test("loadCa() takes an intermediate alone as its own trust anchor", async () => {
  const intermediate = await newIntermediate(await newCa());
  assert.equal(valueOf(loadCa(intermediate, NOW)).trustAnchorPem, intermediate.certificatePem);
});

test("loadCa() never throws, whatever it is given", async () => {
  const pair = await createCa(meshCaRequest("default", "ecdsa-p256", NOW));
  const der = parsed(pair.certificatePem).raw;
  const change = fc.record({ at: fc.nat(der.length - 1), byte: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const changed = Buffer.from(der);
      for (const { at, byte } of changes) changed[at] = byte;
      const body = changed.toString("base64");
      loadCa({ ...pair, certificatePem: `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----` }, NOW);
    }),
    { numRuns: 300 },
  );
});

function assertRefused(
  pair: { readonly certificatePem: string; readonly keyPem: string },
  field: string,
  message: RegExp,
  now = NOW,
): void {
  const result = loadCa(pair, now);
  assert.ok(!result.ok, "it was accepted");
  const found = result.violations.find((violation) => violation.field === field && message.test(violation.message));
  assert.ok(found !== undefined, JSON.stringify(result.violations));
}
