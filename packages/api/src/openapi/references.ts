import type { Kind } from "@heddle/model/kind.ts";
import type { JsonSchema } from "../http/route.ts";

/** Points at the schema of a kind among the components of the document. */
export function resourceSchemaRef(kind: Kind): JsonSchema {
  return { $ref: `#/components/schemas/${kind.type}` };
}

/** A page of resources of a kind. */
export function listSchema(kind: Kind): JsonSchema {
  return {
    type: "object",
    properties: {
      total: { type: "integer", description: "All that match, not only this page" },
      items: { type: "array", items: resourceSchemaRef(kind) },
      next: { type: ["string", "null"], description: "URL of the next page" },
    },
    required: ["total", "items", "next"],
  };
}

/** The body that answers a write. */
export const WRITTEN_SCHEMA: JsonSchema = { $ref: "#/components/schemas/Written" };
