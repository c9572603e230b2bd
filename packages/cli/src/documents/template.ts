import Mustache from "mustache";

/** Values for `{{ name }}` in documents. */
export type Variables = Readonly<Record<string, string>>;

// Resources have templates of their own, `{{ .Mesh }}` and `{{ label "team" }}`; only plain names are ours.
const VARIABLE = /^[A-Za-z_][-\w.]*$/;

/** A text with its variables filled in, or the names of those that have no value. */
export type Filled =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly missing: readonly string[] };

/** Fills in Mustache variables. What is no plain name, or no template at all, stays as it is written. */
export function fillTemplate(template: string, variables: Variables): Filled {
  if (!template.includes("{{")) return { ok: true, text: template };
  const spans = variablesIn(tokensOf(template));
  const missing = [...new Set(spans.map(({ name }) => name))].filter((name) => !Object.hasOwn(variables, name));
  if (missing.length > 0) return { ok: false, missing };
  let text = "";
  let end = 0;
  for (const span of spans) {
    text += template.slice(end, span.start) + (variables[span.name] ?? "");
    end = span.end;
  }
  return { ok: true, text: text + template.slice(end) };
}

function tokensOf(template: string): readonly (readonly unknown[])[] {
  try {
    return Mustache.parse(template);
  } catch {
    // Braces in a text that nobody meant as a template, such as a Lua script: the YAML parser says if it is wrong.
    return [];
  }
}

interface Span {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

// Sections ({{#each}}) are left alone: a document with loops is a job for a real template tool.
function variablesIn(tokens: readonly (readonly unknown[])[]): readonly Span[] {
  return tokens.flatMap(([type, name, start, end]) =>
    ["name", "&"].includes(String(type)) && VARIABLE.test(String(name))
      ? [{ name: String(name), start: Number(start), end: Number(end) }]
      : [],
  );
}
