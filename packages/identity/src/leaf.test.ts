import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { BACKDATED_SECONDS } from "./certificate.ts";
import fc from "fast-check";
import type { KeyType } from "./key-pair.ts";
import { issueCertificate, type CertificateRequest } from "./leaf.ts";
import { loadCa } from "./load-ca.ts";
import { after, newCa, newIntermediate, NOW, parsed, valueOf } from "./testkit.ts";

const request: CertificateRequest = {
  uris: ["spiffe://default/backend"],
  validitySeconds: 3_600,
  usages: ["server", "client"],
  now: NOW,
};

const name = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
const uris = fc.uniqueArray(
  fc.tuple(name, name).map(([mesh, service]) => `spiffe://${mesh}/${service}`),
  { minLength: 1, maxLength: 12 },
);

for (const keyType of ["ecdsa-p256", "rsa-2048"] satisfies KeyType[]) {
  test(`issueCertificate() gives what a ${keyType} CA vouches for, with every name and the asked-for life`, async () => {
    const ca = await newCa("default", keyType);
    const issuer = parsed(ca.certificatePem);
    const property = fc.asyncProperty(uris, fc.integer({ min: 1, max: 1e8 }), async (names, validitySeconds) => {
      const issued = await issueCertificate(ca, { ...request, uris: names, validitySeconds });
      const leaf = parsed(issued.certificatePem);
      assert.ok(leaf.verify(issuer.publicKey));
      assert.ok(leaf.checkIssued(issuer));
      assert.ok(leaf.checkPrivateKey(createPrivateKey(issued.keyPem)));
      assert.equal(leaf.ca, false);
      assert.ok(!leaf.subject);
      assert.equal(leaf.subjectAltName, names.map((uri) => `URI:${uri}`).join(", "));
      assert.deepEqual(leaf.validFromDate, after(-BACKDATED_SECONDS));
      assert.ok(leaf.validFromDate <= after(-300), "a clock that is five minutes behind would refuse it");
      assert.deepEqual(leaf.validToDate, after(validitySeconds));
      assert.deepEqual([issued.notBefore, issued.notAfter], [leaf.validFromDate, leaf.validToDate]);
      assert.equal(leaf.serialNumber, issued.serial);
    });
    await fc.assert(property, { numRuns: 40 });
  });
}

test("issueCertificate() of which any bit is changed is refused", async () => {
  const ca = await newCa();
  const issuer = parsed(ca.certificatePem);
  const { raw } = parsed((await issueCertificate(ca, request)).certificatePem);
  const bit = fc.record({ at: fc.nat(raw.length - 1), mask: fc.integer({ min: 0, max: 7 }).map((n) => 1 << n) });
  fc.assert(
    fc.property(bit, ({ at, mask }) => {
      const changed = Buffer.from(raw);
      changed[at] = (raw[at] ?? 0) ^ mask;
      assert.equal(isVouchedFor(changed, issuer), false, `byte ${at} may be changed`);
    }),
    { numRuns: 500 },
  );
});

test("issueCertificate() never gives two certificates the same serial or key", async () => {
  const ca = await newCa();
  const issued = await Promise.all(Array.from({ length: 50 }, () => issueCertificate(ca, request)));
  assert.equal(new Set(issued.map(({ serial }) => serial)).size, 50);
  assert.equal(new Set(issued.map(({ keyPem }) => keyPem)).size, 50);
});

test("issueCertificate() ends with the CA at the latest", async () => {
  const ca = { ...(await newCa()), notAfter: after(60) };
  const issued = await issueCertificate(ca, request);
  assert.deepEqual(issued.notAfter, after(60));
  assert.deepEqual(parsed(issued.certificatePem).validToDate, after(60));
});

test("issueCertificate() says when the CA has ended", async () => {
  const ca = { ...(await newCa()), notAfter: after(-1) };
  await assert.rejects(issueCertificate(ca, request), /^Error: Cannot issue a certificate: the CA ended at \d{4}-/);
});

test("issueCertificate() refuses a life that is over before it begins", async () => {
  const wrong = issueCertificate(await newCa(), { ...request, validitySeconds: 0 });
  await assert.rejects(wrong, /a validity of 0 seconds/);
});

test("issueCertificate() says the whole second at which the certificate really ends", async () => {
  const fractions = { ...request, validitySeconds: 2.7, now: new Date(NOW.getTime() + 400) };
  const issued = await issueCertificate(await newCa(), fractions);
  assert.deepEqual(issued.notAfter, after(2));
  assert.deepEqual(parsed(issued.certificatePem).validToDate, after(2));
});

test("issueCertificate() refuses a certificate for nobody", async () => {
  await assert.rejects(issueCertificate(await newCa(), { ...request, uris: [] }), /it would stand for nobody/);
});

test("issueCertificate() refuses a name that a certificate cannot hold", async () => {
  const wrong = issueCertificate(await newCa(), { ...request, uris: ["spiffe://default/bäcker"] });
  await assert.rejects(wrong, /Cannot put "spiffe:\/\/default\/bäcker" into a certificate/);
});

test("issueCertificate() carries host names, addresses and a common name as well", async () => {
  const issued = await issueCertificate(await newCa(), {
    ...request,
    uris: [],
    commonName: "backend",
    dnsNames: ["backend.mesh", "*.backend.mesh"],
    ips: ["10.0.0.1", "fd00::1", "::ffff:1.2.3.4"],
    usages: ["client"],
  });
  const leaf = parsed(issued.certificatePem);
  assert.equal(leaf.subject, "CN=backend");
  assert.equal(leaf.checkHost("a.backend.mesh"), "*.backend.mesh");
  assert.equal(leaf.checkIP("10.0.0.1"), "10.0.0.1");
  assert.equal(leaf.checkIP("fd00::1"), "fd00::1");
  assert.equal(leaf.checkIP("::ffff:1.2.3.4"), "::ffff:1.2.3.4");
  assert.deepEqual(leaf.keyUsage, ["1.3.6.1.5.5.7.3.2"]);
});

test("issueCertificate() appends the intermediates but not the root", async () => {
  const root = await newCa();
  const intermediate = await newIntermediate(root);
  const chain = { ...intermediate, certificatePem: intermediate.certificatePem + root.certificatePem };
  const ca = valueOf(loadCa(chain, NOW));
  const { certificatePem } = await issueCertificate(ca, request);
  assert.equal(certificatePem.split("BEGIN CERTIFICATE").length - 1, 2);
  assert.ok(certificatePem.endsWith(intermediate.certificatePem));
  assert.equal(ca.trustAnchorPem, root.certificatePem);
  assert.ok(parsed(certificatePem).verify(parsed(intermediate.certificatePem).publicKey));
});

test("issueCertificate() marks the names as critical exactly when there is no subject, as RFC 5280 demands", async () => {
  const ca = await newCa();
  const critical = /0603551d110101ff04/;
  const anonymous = await issueCertificate(ca, request);
  const named = await issueCertificate(ca, { ...request, commonName: "backend" });
  assert.match(parsed(anonymous.certificatePem).raw.toString("hex"), critical);
  assert.doesNotMatch(parsed(named.certificatePem).raw.toString("hex"), critical);
});

function isVouchedFor(raw: Buffer, issuer: X509Certificate): boolean {
  try {
    return new X509Certificate(raw).verify(issuer.publicKey);
  } catch {
    return false;
  }
}
