import { z } from "zod";
import type { CertificateRequest, IssuedCertificate } from "../../leaf.ts";
import { chainIn, checkIssued, type Giver } from "../remote/issued-certificate.ts";
import { requestedName } from "../remote/requested-name.ts";
import type { VaultRequest } from "./connection.ts";
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
  const name = requestedName(commonName, { uris });
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

/** Reads what Vault issued, and whether it is what was asked for; throws AuthorityFailure. */
export function readIssued(answer: z.infer<typeof issuedSchema>, request: CertificateRequest): IssuedCertificate {
  const { certificate, private_key: keyPem } = answer.data;
  return checkIssued({ certificate, keyPem, chain: chainOf(answer) }, request, VAULT);
}

/** The authorities above an issued certificate, the issuer first; throws AuthorityFailure. */
export function chainOf({ data }: z.infer<typeof issuedSchema>): readonly string[] {
  return chainIn(data.ca_chain ?? [data.issuing_ca ?? ""], VAULT.name);
}

const VAULT: Giver = {
  name: "Vault",
  onMissingNames: "see allowed_uri_sans of the role",
  onMissingUsages: (usages) => `set ${usages.map((usage) => `${usage}_flag`).join(" and ")} of the role`,
};
