import type { Kind } from "@heddle/model/kind.ts";
import { z } from "zod";
import type { JsonSchema } from "../http/route.ts";

const LABELS = { type: "object", additionalProperties: { type: "string" } };
const TIME = { type: "string", format: "date-time", readOnly: true };

/** JSON Schema of a resource of this kind, as users write it. */
export function kindSchema(kind: Kind): JsonSchema {
  const spec = specSchema(kind);
  const common = {
    type: { type: "string", const: kind.type },
    ...(kind.scope === "Mesh" ? { mesh: { type: "string", default: "default" } } : {}),
    name: { type: "string" },
    labels: LABELS,
    creationTime: TIME,
    modificationTime: TIME,
    ...(kind.shortName === undefined ? {} : { kri: { type: "string", readOnly: true } }),
  };
  if (kind.shape === "plugin") {
    const status = kind.hasStatus ? { status: { type: "object", readOnly: true } } : {};
    const properties = { ...common, spec, ...status };
    return {
      type: "object",
      title: kind.singular,
      properties,
      required: ["type", "name"],
      additionalProperties: false,
    };
  }
  const { properties = {}, required = [], ...rest } = spec as { properties?: object; required?: readonly string[] };
  return {
    ...rest,
    type: "object",
    title: kind.singular,
    properties: { ...common, ...properties },
    required: ["type", "name", ...required],
  };
}

function specSchema(kind: Kind): JsonSchema {
  // What JSON Schema cannot say (a check written in code) is left out rather than refused.
  const { $schema: _dialect, ...schema } = z.toJSONSchema(kind.schema, { io: "input", unrepresentable: "any" });
  return schema;
}
