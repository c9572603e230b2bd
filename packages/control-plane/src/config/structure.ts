import { parseWith } from "@heddle/model/schema.ts";
import type { Parsed } from "@heddle/model/violation.ts";
import type { z } from "zod";
import type { Setting } from "./setting.ts";

/** A setting with parts of its own: written as YAML in the file, as JSON in the environment. */
export function structure<Value>(schema: z.ZodType<Value>, facts: Omit<Setting<Value>, "parse">): Setting<Value> {
  return {
    ...facts,
    parse: (raw, field): Parsed<Value> => {
      const value = typeof raw === "string" ? fromJson(raw) : raw;
      const parsed = parseWith(schema, value);
      if (parsed.ok) return parsed;
      const violations = parsed.violations.map(({ field: part, message }) => ({ field: joined(field, part), message }));
      return { ok: false, violations };
    },
  };
}

function joined(field: string, part: string): string {
  if (part === "") return field;
  return part.startsWith("[") ? `${field}${part}` : `${field}.${part}`;
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
