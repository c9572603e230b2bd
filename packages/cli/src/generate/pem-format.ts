/** How keys are printed: as PEM, or as base64 of the PEM, which is what `data` of a Secret holds. */
export const PEM_FORMATS = ["pem", "pem-base64"] as const;

/** A PEM in one of the formats, without a line end. */
export function formatPem(pem: string, format: (typeof PEM_FORMATS)[number]): string {
  return format === "pem" ? pem.trimEnd() : Buffer.from(pem).toString("base64");
}
