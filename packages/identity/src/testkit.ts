import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import type { Parsed } from "@heddle/model/violation.ts";
import { createCa, meshCaRequest, type Ca } from "./ca.ts";
import { lifetime, randomSerial, signCertificate, type CertificateAndKey } from "./certificate.ts";
import { distinguishedName } from "./distinguished-name.ts";
import { basicConstraints, keyIdentifierOf, keyUsage, subjectKeyIdentifier } from "./extensions.ts";
import { generateKeys, privateKeyPem, publicKeyDer, type KeyType } from "./key-pair.ts";
import { loadCa } from "./load-ca.ts";

/** The moment at which the tests happen. Handshakes read the real clock, so it is the real time, in whole seconds. */
export const NOW: Date = new Date(Math.floor(Date.now() / 1000) * 1000);

/** The moment so many seconds after `NOW`. */
export function after(seconds: number): Date {
  return new Date(NOW.getTime() + seconds * 1000);
}

/** The value, or a failed test that shows the violations. */
export function valueOf<T>(parsed: Parsed<T>): T {
  assert.ok(parsed.ok, parsed.ok ? "" : JSON.stringify(parsed.violations));
  return parsed.value;
}

/** A mesh's CA, ready to issue. */
export async function newCa(mesh = "default", keyType: KeyType = "ecdsa-p256"): Promise<Ca> {
  return valueOf(loadCa(await createCa(meshCaRequest(mesh, keyType, NOW)), NOW));
}

/** A CA certificate that another CA issued, without the issuer's certificate. */
export async function newIntermediate(issuer: Ca, extensions?: readonly Uint8Array[]): Promise<CertificateAndKey> {
  const { publicKey, privateKey } = await generateKeys("ecdsa-p256");
  const key = publicKeyDer(publicKey);
  const certificatePem = await signCertificate(
    {
      serial: randomSerial(),
      issuer: issuer.subject,
      subject: distinguishedName({ commonName: "intermediate" }),
      ...lifetime(NOW, 3_600),
      publicKey: key,
      extensions: extensions ?? [
        basicConstraints(true),
        keyUsage(["keyCertSign"]),
        subjectKeyIdentifier(keyIdentifierOf(key)),
      ],
    },
    issuer.signer,
  );
  return { certificatePem, keyPem: privateKeyPem(privateKey) };
}

/** The first certificate of a PEM text. */
export function parsed(pem: string): X509Certificate {
  return new X509Certificate(pem);
}
