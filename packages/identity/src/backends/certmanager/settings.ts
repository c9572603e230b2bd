import type { CertmanagerConf } from "@heddle/model/kinds/mesh-ca-certmanager.ts";
import type { ReadSource, Timeouts } from "../remote/sources.ts";

/** What is needed to ask cert-manager. Equal settings mean the same backend. */
export interface CertmanagerSettings extends Timeouts {
  readonly mesh: string;
  readonly issuerRef: { readonly name: string; readonly kind: string; readonly group: string };
  readonly commonName: string | undefined;
  readonly dnsNames: readonly string[];
  /** What proxies trust, PEM; what cert-manager tells with each certificate when absent. */
  readonly ca: string | undefined;
}

/** The settings with everything read that they name; `field` is where they stand, for messages. */
export async function readCertmanagerSettings(
  {
    issuerRef: { name, kind = "Issuer", group = "cert-manager.io" },
    commonName,
    dnsNames = [],
    caCert,
  }: CertmanagerConf,
  timeouts: Timeouts,
  { mesh, read, field }: { readonly mesh: string; readonly read: ReadSource; readonly field: string },
): Promise<CertmanagerSettings> {
  const ca = caCert && (await read(caCert, `${field}.caCert`));
  return { mesh, issuerRef: { name, kind, group }, commonName, dnsNames, ca, ...timeouts };
}
