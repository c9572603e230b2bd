import { X509Certificate } from "node:crypto";
import { z } from "zod";
import { renderCommonName } from "@heddle/model/kinds/mesh-ca-common-name.ts";
import type { CertificateRequest, IssuedCertificate } from "../../leaf.ts";
import { isSelfSigned, pemCertificates } from "../../pem-certificates.ts";
import type { VaultRequest } from "./connection.ts";
import { VaultFailure } from "./failure.ts";
import type { VaultSettings } from "./settings.ts";

/** What Vault answers when it has issued. */
export const issuedSchema = z.object({
  data: z.object({
    certificate: z.string(),
    private_key: z.string(),
    issuing_ca: z.string().nullish(),
    ca_chain: z.array(z.string()).nullish(),
  }),
});

/**
 * The request that issues: Vault makes the key, as it does for Kong Mesh, so that roles and policies written for that
 * serve here, whatever kind of key the role asks for.
 */
export function issueRequest(
  { pki, role, commonName, issueTimeout }: VaultSettings,
  { uris, validitySeconds }: CertificateRequest,
): VaultRequest {
  const tag = (key: string): string | undefined => uris.find((uri) => uri.startsWith(`kuma://${key}/`));
  const name = commonName && renderCommonName(commonName, (key) => tag(key)?.slice(`kuma://${key}/`.length));
  return {
    method: "POST",
    path: `${pki}/issue/${role}`,
    timeoutMillis: issueTimeout,
    what: `to issue a certificate by role "${role}" of "${pki}"`,
    body: {
      uri_sans: uris.join(","),
      ttl: `${Math.floor(validitySeconds)}s`,
      format: "pem",
      private_key_format: "pkcs8",
      exclude_cn_from_sans: true,
      ...(name === undefined ? {} : { common_name: name }),
    },
  };
}

/** Reads what Vault issued, and whether it is what was asked for; throws VaultFailure. */
export function readIssued(
  answer: z.infer<typeof issuedSchema>,
  { uris, usages }: CertificateRequest,
): IssuedCertificate {
  const { data } = answer;
  const leaf = readCertificate(data.certificate);
  const names = (leaf.subjectAltName ?? "").split(", ");
  const missing = uris.filter((uri) => !names.includes(`URI:${uri}`));
  if (missing.length > 0) {
    throw new VaultFailure(
      "refused",
      `Vault issued a certificate without ${missing.join(", ")}; see allowed_uri_sans of the role`,
    );
  }
  const allowed: readonly string[] = leaf.keyUsage ?? [];
  const lacking = usages.filter((usage) => allowed.length > 0 && !allowed.includes(OIDS[usage]));
  if (lacking.length > 0) {
    throw new VaultFailure(
      "refused",
      `Vault issued a certificate that is not for ${lacking.join(" and ")} use; set ${lacking.map((usage) => `${usage}_flag`).join(" and ")} of the role`,
    );
  }
  return {
    certificatePem:
      leaf.toString() +
      chainOf(answer)
        .filter((each) => !isSelfSigned(each))
        .join(""),
    keyPem: data.private_key,
    notBefore: leaf.validFromDate,
    notAfter: leaf.validToDate,
    serial: leaf.serialNumber,
  };
}

/** The authorities above an issued certificate, the issuer first. */
export function chainOf({ data }: z.infer<typeof issuedSchema>): readonly string[] {
  return (data.ca_chain ?? [data.issuing_ca ?? ""]).flatMap(pemCertificates);
}

// Extended key usages of RFC 5280; Node shows them so.
const OIDS: Readonly<Record<CertificateRequest["usages"][number], string>> = {
  server: "1.3.6.1.5.5.7.3.1",
  client: "1.3.6.1.5.5.7.3.2",
};

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new VaultFailure("refused", "Vault's answer to a request for a certificate holds none that can be read", {
      cause,
    });
  }
}
