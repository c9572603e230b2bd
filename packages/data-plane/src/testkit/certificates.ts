import assert from "node:assert/strict";
import { createServerCertificate } from "@heddle/identity/server-certificate.ts";

/** A certificate that signed itself, as a control plane makes one for itself, with its key. Both PEM. */
export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
}

const LOOPBACK = ["localhost", "127.0.0.1"];

/** For localhost and 127.0.0.1. */
export const GOOD = await certificate("a control plane", LOOPBACK, new Date());

/** For the same names, by another authority. */
export const OTHER = await certificate("another control plane", LOOPBACK, new Date());

/** For cp.example alone. */
export const OTHER_NAME = await certificate("a control plane elsewhere", ["cp.example"], new Date());

/** For localhost and 127.0.0.1, expired in 2020. */
export const EXPIRED = await certificate("an old control plane", LOOPBACK, new Date("2020-01-01T00:00:00Z"));

async function certificate(commonName: string, hosts: readonly string[], now: Date): Promise<TestCertificate> {
  const made = await createServerCertificate({
    usage: "server",
    commonName,
    hosts,
    keyType: "ecdsa-p256",
    validitySeconds: 86_400,
    now,
  });
  assert.ok(made.ok);
  return { certificate: made.value.certificatePem, key: made.value.keyPem };
}
