import type { Kind } from "@heddle/model/kind.ts";
import type { JsonSchema } from "@heddle/model/json-schema.ts";

/** The JSON Schema of a whole document of a kind: the fields that all kinds have, and its own. */
export function documentSchema(kind: Kind): JsonSchema {
  const own = kind.schema.toJSONSchema({ io: "input", unrepresentable: "any" }) as JsonSchema;
  const { properties = {}, required = [] } = kind.shape === "core" ? own : { properties: { spec: own } };
  return {
    type: "object",
    properties: {
      type: { const: kind.type, description: "What this document is" },
      ...(kind.scope === "Mesh" ? { mesh: { type: "string", description: "Mesh that it belongs to (default)" } } : {}),
      name: { type: "string", description: "Name, unique among its kind in the mesh" },
      labels: { type: "object", additionalProperties: { type: "string" }, description: "Labels, for selecting it" },
      ...properties,
    },
    required: ["type", "name", ...required],
  };
}
