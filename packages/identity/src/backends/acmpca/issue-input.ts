import { X509Certificate } from "node:crypto";
import type { IssueCertificateCommandInput } from "@aws-sdk/client-acm-pca";
import { BACKDATED_SECONDS } from "../../certificate.ts";
import type { CertificateRequest } from "../../leaf.ts";
import { AuthorityFailure } from "../remote/authority-failure.ts";
import type { AcmpcaSettings } from "./settings.ts";

/**
 * The input of IssueCertificate. The template takes subject and names from the request and allows both ends of TLS:
 * https://docs.aws.amazon.com/privateca/latest/userguide/template-definitions.html
 */
export function issueInput(
  { arn, partition }: Pick<AcmpcaSettings, "arn" | "partition">,
  { validitySeconds, now }: Pick<CertificateRequest, "validitySeconds" | "now">,
  { csr, issuer }: { readonly csr: string; readonly issuer: string },
): IssueCertificateCommandInput {
  const seconds = Math.floor(now.getTime() / 1_000);
  return {
    CertificateAuthorityArn: arn,
    Csr: Buffer.from(csr),
    SigningAlgorithm: signingAlgorithm(issuer),
    TemplateArn: `arn:${partition}:acm-pca:::template/EndEntityCertificate/V1`,
    Validity: { Type: "ABSOLUTE", Value: seconds + Math.floor(validitySeconds) },
    // Unset it would be an hour ago, and a short life would look over from the start.
    ValidityNotBefore: { Type: "ABSOLUTE", Value: seconds - BACKDATED_SECONDS },
  };
}

/** It must be of the family of the authority's key. */
function signingAlgorithm(issuer: string): "SHA256WITHRSA" | "SHA256WITHECDSA" | "SHA384WITHECDSA" | "SHA512WITHECDSA" {
  const { asymmetricKeyType: type, asymmetricKeyDetails } = new X509Certificate(issuer).publicKey;
  if (type === "rsa") return "SHA256WITHRSA";
  const curve = asymmetricKeyDetails?.namedCurve;
  if (curve === "prime256v1") return "SHA256WITHECDSA";
  if (curve === "secp384r1") return "SHA384WITHECDSA";
  if (curve === "secp521r1") return "SHA512WITHECDSA";
  throw new AuthorityFailure(
    "unavailable",
    `proxies take no certificates of a key of kind ${curve ?? type ?? "unknown"}`,
  );
}
