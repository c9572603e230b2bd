import { z } from "zod";
import { unquoted } from "./schema.ts";
import type { Violation } from "./violation.ts";

/** Where a text comes from that an operator gives to the control plane: Kuma 2.x's DataSource. */
export const dataSourceSchema = unquoted(
  z.strictObject({
    secret: z.string().min(1).max(253).optional().describe("Name of a Secret of the mesh"),
    file: z
      .string()
      .regex(/^\//, { error: "must be an absolute path" })
      .optional()
      .describe("File of the control plane's machine; read again when it changes"),
    inline: unquoted(z.string().regex(/^[A-Za-z0-9+/=\s]+$/, { error: "must be base64" }))
      .optional()
      .describe("The text in base64: readable for everybody who may read the resource"),
    inlineString: unquoted(z.string().min(1))
      .optional()
      .describe("The text itself: readable for everybody who may read the resource"),
  }),
);
export type DataSource = z.infer<typeof dataSourceSchema>;

/** What a source means: something to look up, or the text itself. */
export type DataSourceMeaning =
  | { readonly from: "secret"; readonly name: string }
  | { readonly from: "file"; readonly path: string }
  | { readonly from: "text"; readonly text: string };

/** Reads a source that `checkDataSource` has nothing to say about. */
export function dataSourceMeaning({ secret, file, inline = "", inlineString }: DataSource): DataSourceMeaning {
  if (secret !== undefined) return { from: "secret", name: secret };
  if (file !== undefined) return { from: "file", path: file };
  return { from: "text", text: inlineString ?? Buffer.from(inline, "base64").toString("utf8") };
}

/** What is wrong with a source at `field`. */
export function checkDataSource(source: DataSource, field: string): readonly Violation[] {
  const said = Object.values(source).filter((value) => value !== undefined);
  return said.length === 1 ? [] : [{ field, message: "must have exactly one of secret, file, inline, inlineString" }];
}
