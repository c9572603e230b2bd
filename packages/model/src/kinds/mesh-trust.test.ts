import assert from "node:assert/strict";
import { test } from "node:test";
import { rootCertificates } from "node:tls";
import { meshTrust } from "./mesh-identity.ts";

const problems = (value: string): readonly string[] =>
  (meshTrust.check?.({ trustDomain: "example.org", caBundles: [{ type: "Pem", pem: { value } }] }) ?? []).map(
    ({ field, message }) => `${field}: ${message}`,
  );

test("MeshTrust takes certificates that can be read, and nothing else", () => {
  assert.deepEqual(problems(rootCertificates.slice(0, 2).join("\n")), []);
  for (const value of [
    "-----BEGIN CERTIFICATE-----...",
    "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----",
  ])
    assert.deepEqual(problems(value), ["caBundles[0].pem.value: must hold certificates in PEM that can be read"]);
  assert.match(problems("-----BEGIN PRIVATE KEY-----").join(), /not a private key/);
});
