import type { CertificateRequest } from "../../leaf.ts";
import type { CertmanagerSettings } from "./settings.ts";

/** A CertificateRequest with a name that the API server makes. */
export function certificateRequest(
  issuerRef: CertmanagerSettings["issuerRef"],
  { validitySeconds, usages }: Pick<CertificateRequest, "validitySeconds" | "usages">,
  csr: string,
): object {
  return {
    apiVersion: "cert-manager.io/v1",
    kind: "CertificateRequest",
    metadata: { generateName: "heddle-", labels: { "app.kubernetes.io/managed-by": "heddle" } },
    spec: {
      issuerRef,
      request: Buffer.from(csr).toString("base64"),
      duration: `${Math.floor(validitySeconds)}s`,
      usages: ["digital signature", ...usages.map((usage) => `${usage} auth`)],
    },
  };
}
