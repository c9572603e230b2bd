import { lifetime, randomSerial, signCertificate, type CertificateAndKey } from "./certificate.ts";
import { distinguishedName, type DistinguishedName } from "./distinguished-name.ts";
import { keyIdentifierOf, subjectKeyIdentifier } from "./extensions.ts";
import { generateKeys, privateKeyPem, publicKeyDer, type KeyType } from "./key-pair.ts";
import { signerFor } from "./signer.ts";

/** What the makers of self-signed certificates have in common. */
export interface SelfSigned {
  readonly name: DistinguishedName;
  readonly keyType: KeyType;
  readonly validitySeconds: number;
  readonly now: Date;
  /** Encoded extensions besides the key's identifier, which every certificate gets. */
  readonly extensions: readonly Uint8Array[];
}

/** A certificate for a new key, signed with that key. */
export async function createSelfSigned(wanted: SelfSigned): Promise<CertificateAndKey> {
  const { publicKey, privateKey } = await generateKeys(wanted.keyType);
  const signer = signerFor(privateKey);
  if (signer === undefined) throw new Error(`Cannot create a certificate: a "${wanted.keyType}" key cannot sign it`);
  const key = publicKeyDer(publicKey);
  const name = distinguishedName(wanted.name);
  const certificatePem = await signCertificate(
    {
      serial: randomSerial(),
      issuer: name,
      subject: name,
      ...lifetime(wanted.now, wanted.validitySeconds),
      publicKey: key,
      extensions: [...wanted.extensions, subjectKeyIdentifier(keyIdentifierOf(key))],
    },
    signer,
  );
  return { certificatePem, keyPem: privateKeyPem(privateKey) };
}
