import type { Parsed } from "@heddle/model/violation.ts";
import mustache from "mustache";

/**
 * Puts values in the place of `{{ name }}`. Mustache itself writes nothing for a name without a value, which would turn
 * a forgotten variable into a puzzle two steps later: here it is an error.
 */
export function renderTemplate(template: string, values: Readonly<Record<string, string>>): Parsed<string> {
  try {
    const missing = variableNames(mustache.parse(template)).filter((name) => !Object.hasOwn(values, name));
    if (missing.length > 0) {
      return {
        ok: false,
        violations: [...new Set(missing)].map((name) => ({
          field: `{{ ${name} }}`,
          message: `has no value: add --dataplane-var ${name}=...`,
        })),
      };
    }
    // YAML, not HTML: values go in as they are.
    return { ok: true, value: mustache.render(template, values, {}, { escape: String }) };
  } catch (error) {
    return { ok: false, violations: [{ field: "", message: `is no template: ${(error as Error).message}` }] };
  }
}

/** A token is [type, name, start, end, ...]; a section ("#" or "^") may stand for nothing and has its tokens inside. */
function variableNames(tokens: readonly unknown[]): readonly string[] {
  return tokens.flatMap((token) => {
    const [type, name, , , nested] = token as readonly [string, string, number, number, unknown];
    if (type === "name" || type === "&") return [name];
    return Array.isArray(nested) ? variableNames(nested) : [];
  });
}
