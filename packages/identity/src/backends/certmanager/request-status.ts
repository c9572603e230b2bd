import { z } from "zod";

/** What counts in a CertificateRequest of cert-manager.io/v1; the rest of the object is not read. */
export const certificateRequestSchema = z.object({
  metadata: z.object({ name: z.string(), resourceVersion: z.string() }),
  status: z
    .object({
      certificate: z.string().nullish(),
      ca: z.string().nullish(),
      conditions: z
        .array(
          z.object({
            type: z.string(),
            status: z.string(),
            reason: z.string().nullish(),
            message: z.string().nullish(),
          }),
        )
        .nullish(),
    })
    .nullish(),
});
export type RequestObject = z.infer<typeof certificateRequestSchema>;

/** How far a request is. */
export type RequestStatus =
  | { readonly state: "pending"; readonly message: string }
  | { readonly state: "issued"; readonly certificate: string; readonly ca: string | undefined }
  | { readonly state: "failed"; readonly message: string };

/** Reads the conditions: https://cert-manager.io/docs/usage/certificaterequest/#conditions */
export function requestStatus({ status }: Pick<RequestObject, "status">): RequestStatus {
  const conditions = status?.conditions ?? [];
  const find = (type: string): (typeof conditions)[number] | undefined => conditions.find((each) => each.type === type);
  for (const type of ["Denied", "InvalidRequest"]) {
    const condition = find(type);
    if (condition?.status === "True") return { state: "failed", message: `${type}: ${condition.message ?? ""}` };
  }
  const ready = find("Ready");
  if (ready?.status === "True" && decoded(status?.certificate) !== "") {
    return { state: "issued", certificate: decoded(status?.certificate), ca: decoded(status?.ca) || undefined };
  }
  const message = `${ready?.reason ?? "Pending"}: ${ready?.message ?? "no controller of cert-manager has taken it up"}`;
  const isOver = ready?.reason === "Failed" || ready?.reason === "Denied";
  return { state: isOver ? "failed" : "pending", message };
}

function decoded(base64: string | null | undefined): string {
  return Buffer.from(base64 ?? "", "base64").toString("utf8");
}
