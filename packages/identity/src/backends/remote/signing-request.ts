import type { KeyObject } from "node:crypto";
import { Attributes, CertificationRequest, CertificationRequestInfo } from "@peculiar/asn1-csr";
import { AsnConvert } from "@peculiar/asn1-schema";
import * as x509 from "@peculiar/asn1-x509";
import { distinguishedName } from "../../distinguished-name.ts";
import { subjectAlternativeName } from "../../extensions.ts";
import { generateKeys, privateKeyPem, publicKeyDer } from "../../key-pair.ts";
import type { CertificateRequest } from "../../leaf.ts";
import { ecdsaP256Signer, signBytes } from "../../signer.ts";

/** Whom a certificate shall stand for. */
export type RequestedNames = Pick<CertificateRequest, "uris" | "dnsNames" | "commonName">;

/** A new key, and a request to certify it. */
export interface SigningRequest {
  /** PKCS#10, PEM. */
  readonly csr: string;
  readonly keyPem: string;
}

/** Makes an ECDSA P-256 key and asks for these names (RFC 2986). What it may be used for is the authority's matter. */
export async function signingRequest(names: RequestedNames): Promise<SigningRequest> {
  const { publicKey, privateKey } = await generateKeys("ecdsa-p256");
  const info = requestInfo(names, publicKey);
  const signer = ecdsaP256Signer(privateKey);
  const signature = await signBytes(signer, new Uint8Array(AsnConvert.serialize(info)));
  const request = new CertificationRequest({
    certificationRequestInfo: info,
    signatureAlgorithm: AsnConvert.parse(signer.algorithm, x509.AlgorithmIdentifier),
    signature: new Uint8Array(signature).buffer,
  });
  return { csr: pem(AsnConvert.serialize(request)), keyPem: privateKeyPem(privateKey) };
}

function requestInfo({ uris, dnsNames, commonName }: RequestedNames, publicKey: KeyObject): CertificationRequestInfo {
  const isSubjectEmpty = commonName === undefined || commonName === "";
  const names = AsnConvert.parse(subjectAlternativeName({ uris, dnsNames }, isSubjectEmpty), x509.Extension);
  return new CertificationRequestInfo({
    version: 0,
    subject: AsnConvert.parse(distinguishedName({ commonName }), x509.Name),
    subjectPKInfo: AsnConvert.parse(publicKeyDer(publicKey), x509.SubjectPublicKeyInfo),
    attributes: new Attributes([
      new x509.Attribute({ type: EXTENSION_REQUEST, values: [AsnConvert.serialize(new x509.Extensions([names]))] }),
    ]),
  });
}

// PKCS #9, RFC 2985 section 5.4.2.
const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";

function pem(der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join("\n")}\n-----END CERTIFICATE REQUEST-----\n`;
}
