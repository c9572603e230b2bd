import type { CertificateAndKey } from "./certificate.ts";
import type { DistinguishedName } from "./distinguished-name.ts";
import { basicConstraints, keyUsage, subjectAlternativeName } from "./extensions.ts";
import type { KeyType } from "./key-pair.ts";
import { createSelfSigned } from "./self-signed.ts";
import type { Signer } from "./signer.ts";

/** A certificate authority that is ready to issue: its key is imported once and used for thousands of leaves. */
export interface Ca {
  /** The issuing certificate, followed by its chain towards the root, as PEM. */
  readonly certificatePem: string;
  /** What a peer needs besides the leaf to reach the trust anchor; empty when the issuer is the anchor. */
  readonly intermediatesPem: string;
  /** The certificate at the end of the chain: what the other side has to trust. */
  readonly trustAnchorPem: string;
  /** SHA-256 of the issuing certificate in hexadecimal: tells which CA a leaf came from. */
  readonly fingerprint: string;
  /** The earliest end in the chain: nothing it issues is valid for longer. */
  readonly notAfter: Date;
  /** The issuer's name, as the issuing certificate encodes it. */
  readonly subject: Uint8Array;
  /** The extension that leaves carry to name the issuer's key; absent when the issuer has no identifier. */
  readonly authorityKeyIdentifier: Uint8Array | undefined;
  readonly signer: Signer;
}

export interface CaRequest extends DistinguishedName {
  readonly commonName: string;
  /** The SPIFFE ID of the trust domain: `spiffe://<mesh>`. */
  readonly uri?: string | undefined;
  readonly keyType: KeyType;
  readonly validitySeconds: number;
  readonly now: Date;
}

/** Ten years, Kuma's default for a builtin CA. */
export const DEFAULT_CA_VALIDITY_SECONDS = 10 * 365 * 24 * 60 * 60;

/** What a mesh's builtin CA is made from: O=Heddle, OU=Mesh, CN and SPIFFE trust domain are the mesh's name. */
export function meshCaRequest(mesh: string, keyType: KeyType, now: Date): CaRequest {
  return {
    organization: "Heddle",
    organizationalUnit: "Mesh",
    commonName: mesh,
    uri: `spiffe://${mesh}`,
    keyType,
    validitySeconds: DEFAULT_CA_VALIDITY_SECONDS,
    now,
  };
}

/** A new self-signed root. Store both parts before anything is issued: a second CA for one mesh would cut it in two. */
export function createCa({ uri, ...request }: CaRequest): Promise<CertificateAndKey> {
  return createSelfSigned({
    name: request,
    keyType: request.keyType,
    validitySeconds: request.validitySeconds,
    now: request.now,
    extensions: [
      basicConstraints(true),
      keyUsage(["keyCertSign", "cRLSign"]),
      ...(uri === undefined ? [] : [subjectAlternativeName({ uris: [uri] }, false)]),
    ],
  });
}
