import assert from "node:assert/strict";
import { test } from "node:test";
import { createCa, meshCaRequest } from "../../ca.ts";
import { NOW } from "../../testkit.ts";
import { AuthorityFailure } from "../remote/authority-failure.ts";
import { readIssued } from "./issue.ts";

const { certificatePem, keyPem } = await createCa(meshCaRequest("default", "ecdsa-p256", NOW));
const request = { uris: [], usages: [], validitySeconds: 60, now: NOW } as const;
const broken = certificatePem.replace(/MII/, "!!!");
// The year of the end of its life becomes "2x": OpenSSL reads that, and no clock does.
const der = Buffer.from(certificatePem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
const firstTime = der.indexOf(Buffer.from([0x17, 0x0d]));
const dateless = Buffer.from(der);
dateless.write("x", firstTime + 4, "latin1");
const datelessPem = `-----BEGIN CERTIFICATE-----\n${dateless.toString("base64")}\n-----END CERTIFICATE-----\n`;

const answers: readonly (readonly [string, { certificate: string; ca_chain?: string[] }])[] = [
  ["no certificate", { certificate: "" }],
  ["a certificate that cannot be read", { certificate: broken }],
  ["a chain that cannot be read", { certificate: certificatePem, ca_chain: [broken] }],
  ["a chain without end", { certificate: certificatePem, ca_chain: Array.from({ length: 100 }, () => certificatePem) }],
  ["a certificate whose dates do not exist", { certificate: datelessPem }],
];

for (const [what, data] of answers) {
  test(`readIssued() refuses ${what} as the authority's failure, not as one of ours`, () => {
    const answer = { data: { private_key: keyPem, ...data } };
    assert.throws(() => readIssued(answer, request), AuthorityFailure);
  });
}
