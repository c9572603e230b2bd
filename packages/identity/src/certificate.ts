import { randomBytes } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import { Validity } from "@peculiar/asn1-x509";
import { bitString, explicit, positiveInteger, sequence } from "./der.ts";
import { signBytes, signBytesNow, type Signer } from "./signer.ts";

/** A certificate and its private key, both PEM; the key is PKCS#8. */
export interface CertificateAndKey {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** Everything that goes into a certificate besides the signature. Byte arrays are DER. */
export interface CertificateContent {
  readonly serial: Uint8Array;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: Uint8Array;
  readonly extensions: readonly Uint8Array[];
}

/** Clocks of proxies may be slow by this many seconds, five minutes and a little, and still accept a new certificate. */
export const BACKDATED_SECONDS = 310;

/** The signed certificate as PEM. */
export async function signCertificate(content: CertificateContent, signer: Signer): Promise<string> {
  const bytes = toBeSigned(content, signer);
  return signed(bytes, signer, await signBytes(signer, bytes));
}

/** The same at once, in this thread. */
export function signCertificateNow(content: CertificateContent, signer: Signer): string {
  const bytes = toBeSigned(content, signer);
  return signed(bytes, signer, signBytesNow(signer, bytes));
}

function toBeSigned(content: CertificateContent, { algorithm }: Signer): Buffer {
  return sequence([
    VERSION_3,
    positiveInteger(content.serial),
    algorithm,
    content.issuer,
    validity(content.notBefore, content.notAfter),
    content.subject,
    content.publicKey,
    explicit(3, sequence(content.extensions)),
  ]);
}

function signed(bytes: Uint8Array, { algorithm }: Signer, signature: Uint8Array): string {
  return certificatePem(sequence([bytes, algorithm, bitString(signature)]));
}

/** 128 random bits: nobody can guess the next serial, and no two certificates share one. */
export function randomSerial(): Uint8Array {
  return randomBytes(16);
}

/** The serial as Node, OpenSSL and browsers print it: upper-case hexadecimal without leading zero bytes. */
export function serialText(serial: Uint8Array): string {
  const significant = serial.subarray(serial.findIndex((byte) => byte !== 0));
  return Buffer.from(significant).toString("hex").toUpperCase();
}

/** From `BACKDATED_SECONDS` before now, for so many seconds from now on. Certificates hold whole seconds. */
export function lifetime(now: Date, validitySeconds: number): Pick<CertificateContent, "notBefore" | "notAfter"> {
  const second = Math.floor(now.getTime() / 1000);
  return {
    notBefore: new Date((second - BACKDATED_SECONDS) * 1000),
    notAfter: new Date((second + Math.floor(validitySeconds)) * 1000),
  };
}

/** Wraps an encoded certificate in PEM. */
export function certificatePem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

const VERSION_3 = explicit(0, positiveInteger(Uint8Array.of(2)));

function validity(notBefore: Date, notAfter: Date): Uint8Array {
  return new Uint8Array(AsnConvert.serialize(new Validity({ notBefore, notAfter })));
}
