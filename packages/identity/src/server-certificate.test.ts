import assert from "node:assert/strict";
import { test } from "node:test";
import { createServerCertificate, type ServerCertificateRequest } from "./server-certificate.ts";
import { loadCa } from "./load-ca.ts";
import { after, NOW, parsed, valueOf } from "./testkit.ts";

const request: ServerCertificateRequest = {
  usage: "server",
  commonName: "heddle",
  hosts: ["cp.example.com", "10.0.0.1"],
  keyType: "ecdsa-p256",
  validitySeconds: 3_600,
  now: NOW,
};

test("createServerCertificate() makes a CA certificate, since Kuma's bootstrap hands out nothing else to trust", async () => {
  const pair = valueOf(await createServerCertificate(request));
  const certificate = parsed(pair.certificatePem);
  assert.ok(certificate.ca);
  assert.ok(certificate.verify(certificate.publicKey));
  assert.equal(certificate.checkHost("cp.example.com"), "cp.example.com");
  assert.equal(certificate.checkIP("10.0.0.1"), "10.0.0.1");
  assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
  assert.deepEqual(certificate.validToDate, after(3_600));
  assert.ok(loadCa(pair, NOW).ok);
});

test("createServerCertificate() makes client certificates as well, with or without hosts", async () => {
  const pair = valueOf(await createServerCertificate({ ...request, usage: "client", hosts: [] }));
  const certificate = parsed(pair.certificatePem);
  assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.2"]);
  assert.equal(certificate.subjectAltName, undefined);
  assert.equal(certificate.subject, "CN=heddle");
});

const wrongHosts = [
  "",
  "https://cp.example.com",
  "cp.example.com:5678",
  "a..b",
  "bücher.example",
  "fe80::1%eth0",
  "-a",
];

for (const host of wrongHosts) {
  test(`createServerCertificate() refuses the host ${JSON.stringify(host)}`, async () => {
    const result = await createServerCertificate({ ...request, hosts: ["localhost", host] });
    assert.ok(!result.ok);
    assert.deepEqual(
      result.violations.map(({ field }) => field),
      ["hosts[1]"],
    );
  });
}
