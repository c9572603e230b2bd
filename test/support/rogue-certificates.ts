import { createPrivateKey, X509Certificate } from "node:crypto";
import { identitySecretNames } from "@heddle/control-plane/identity/authorities.ts";
import { Secrets } from "@heddle/control-plane/secrets.ts";
import { builtinSecretNames } from "@heddle/identity/backends/builtin/ca-request.ts";
import type { Ca } from "@heddle/identity/ca.ts";
import { type CertificateAndKey, lifetime, randomSerial, signCertificate } from "@heddle/identity/certificate.ts";
import { distinguishedName } from "@heddle/identity/distinguished-name.ts";
import { basicConstraints, extendedKeyUsage, keyUsage, subjectAlternativeName } from "@heddle/identity/extensions.ts";
import { generateKeys, privateKeyPem, publicKeyDer } from "@heddle/identity/key-pair.ts";
import { issueCertificate } from "@heddle/identity/leaf.ts";
import { loadCa } from "@heddle/identity/load-ca.ts";
import { signerFor } from "@heddle/identity/signer.ts";
import type { Lab } from "./lab.ts";

/** The authority of a mesh with its key, as only the control plane has it. */
export async function stolenAuthority(lab: Lab, mesh = "default", backend = "ca-1"): Promise<Ca> {
  return await stolen(lab, mesh, builtinSecretNames(mesh, backend));
}

/** The same of a MeshIdentity. */
export async function stolenIdentityAuthority(lab: Lab, identity: string, mesh = "default"): Promise<Ca> {
  return await stolen(lab, mesh, identitySecretNames(identity));
}

async function stolen(
  lab: Lab,
  mesh: string,
  names: { readonly certificate: string; readonly key: string },
): Promise<Ca> {
  const secrets = new Secrets(lab.controlPlane.store);
  const certificatePem = await secrets.read(mesh, names.certificate);
  const keyPem = await secrets.read(mesh, names.key);
  if (certificatePem === undefined || keyPem === undefined) throw new Error(`mesh ${mesh} has no builtin authority`);
  const ca = loadCa({ certificatePem, keyPem }, new Date());
  if (!ca.ok) throw new Error(JSON.stringify(ca.violations));
  return ca.value;
}

/** A certificate for these names, as the control plane issues them; `age` makes it that many seconds old. */
export async function certificateFor(ca: Ca, uris: readonly string[], { age = 0 } = {}): Promise<CertificateAndKey> {
  const now = new Date(Date.now() - age * 1_000);
  return await issueCertificate(ca, { uris, usages: ["server", "client"], validitySeconds: 3_600, now });
}

/** What the owner of a certificate can make of it: an authority whose certificates end in the mesh's own. */
export function asAuthority({ certificatePem, keyPem }: CertificateAndKey, issuer: Ca): Ca {
  const signer = signerFor(createPrivateKey(keyPem));
  if (signer === undefined) throw new Error("no key that certificates could be signed with");
  return {
    ...issuer,
    certificatePem,
    intermediatesPem: certificatePem,
    subject: distinguishedName({}),
    authorityKeyIdentifier: undefined,
    signer,
    notAfter: new X509Certificate(certificatePem).validToDate,
  };
}

/** A certificate by the mesh's own authority with a NUL byte in its name, which this authority would never write. */
export async function certificateWithNul(ca: Ca, before: string, after: string): Promise<CertificateAndKey> {
  const { publicKey, privateKey } = await generateKeys("ecdsa-p256");
  const names = Buffer.from(subjectAlternativeName({ uris: [`${before}~${after}`] }, true));
  names[names.indexOf("~")] = 0;
  const keyPem = privateKeyPem(privateKey);
  const content = {
    serial: randomSerial(),
    issuer: ca.subject,
    subject: distinguishedName({}),
    ...lifetime(new Date(), 3_600),
    publicKey: publicKeyDer(publicKey),
    extensions: [
      basicConstraints(false),
      keyUsage(["digitalSignature"]),
      extendedKeyUsage(["server", "client"]),
      new Uint8Array(names),
    ],
  };
  return { certificatePem: await signCertificate(content, ca.signer), keyPem };
}
