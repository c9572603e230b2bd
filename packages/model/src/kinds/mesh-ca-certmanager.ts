import { z } from "zod";
import type { DataSource } from "../data-source.ts";
import type { Violation } from "../violation.ts";
import { checkCommonName } from "./mesh-ca-common-name.ts";

const name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, { error: "must be the name of a Kubernetes resource" });

/** Which issuer of cert-manager signs. */
export const issuerRefSchema = z.strictObject({
  name: name.describe("Name of the issuer"),
  kind: z.string().min(1).optional().describe("Issuer, ClusterIssuer, or the kind of an external issuer (Issuer)"),
  group: name.optional().describe("API group of that kind (cert-manager.io)"),
});

/** Settings of an issuer of cert-manager. */
export interface CertmanagerConf {
  readonly issuerRef: z.infer<typeof issuerRefSchema>;
  readonly commonName?: string | undefined;
  readonly dnsNames?: readonly string[] | undefined;
  readonly caCert?: DataSource | undefined;
}

/** What is wrong with these settings, but for what is missing; `field` is where they stand. */
export function checkCertmanager(
  { commonName, dnsNames = [] }: Pick<CertmanagerConf, "commonName" | "dnsNames">,
  field: string,
): readonly Violation[] {
  return [
    ...checkCommonName(commonName, `${field}.commonName`),
    ...dnsNames.flatMap((each, index) => checkCommonName(each, `${field}.dnsNames[${index}]`)),
  ];
}
