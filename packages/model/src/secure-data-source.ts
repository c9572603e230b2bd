import { z } from "zod";
import { unquoted } from "./schema.ts";
import type { Violation } from "./violation.ts";

/** Where a text comes from that may be secret: as Kuma 3 writes it, or as Kuma 2.x did. Never from the control plane's disk. */
export const secureDataSourceSchema = unquoted(
  z.strictObject({
    type: z.enum(["Secret", "InsecureInline"]).optional().describe("Which of the two below is meant"),
    secretRef: z
      .strictObject({
        kind: z.literal("Secret").optional(),
        name: z.string().min(1).max(253).describe("Name of a Secret of the mesh"),
      })
      .optional()
      .describe("With type Secret"),
    insecureInline: unquoted(z.strictObject({ value: unquoted(z.string().min(1).describe("The text itself")) }))
      .optional()
      .describe("With type InsecureInline: readable for everybody who may read the resource"),
    secret: z.string().min(1).max(253).optional().describe("Kuma 2.x: name of a Secret of the mesh"),
    inline: unquoted(z.string().regex(/^[A-Za-z0-9+/=\s]+$/, { error: "must be base64" }))
      .optional()
      .describe("Kuma 2.x: the text in base64"),
    inlineString: unquoted(z.string().min(1)).optional().describe("Kuma 2.x: the text itself"),
  }),
);
export type SecureDataSource = z.infer<typeof secureDataSourceSchema>;

/** What a source means: a Secret to look up, or the text itself. */
export type SourceMeaning =
  | { readonly from: "secret"; readonly name: string }
  | { readonly from: "text"; readonly text: string };

/** Reads a source that `checkSource` has nothing to say about. */
export function meaningOf({
  secretRef,
  insecureInline,
  secret,
  inline,
  inlineString,
}: SecureDataSource): SourceMeaning {
  const name = secretRef?.name ?? secret;
  if (name !== undefined) return { from: "secret", name };
  const decoded = inline === undefined ? "" : Buffer.from(inline, "base64").toString("utf8");
  return { from: "text", text: insecureInline?.value ?? inlineString ?? decoded };
}

/** What is wrong with a source at `field`. */
export function checkSource(source: SecureDataSource, field: string): readonly Violation[] {
  const { type, secretRef, insecureInline, ...old } = source;
  const said = Object.entries({ secretRef, insecureInline, ...old }).filter(([, value]) => value !== undefined);
  if (said.length !== 1)
    return [{ field, message: "must have exactly one of secretRef, insecureInline, secret, inline, inlineString" }];
  if (type === "Secret" && secretRef === undefined)
    return [{ field: `${field}.secretRef`, message: "must be set with type Secret" }];
  if (type === "InsecureInline" && insecureInline === undefined)
    return [{ field: `${field}.insecureInline`, message: "must be set with type InsecureInline" }];
  if (type === undefined && secretRef !== undefined)
    return [{ field: `${field}.type`, message: "must be Secret with secretRef" }];
  if (type === undefined && insecureInline !== undefined)
    return [{ field: `${field}.type`, message: "must be InsecureInline with insecureInline" }];
  return [];
}
