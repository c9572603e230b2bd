import { distance } from "fastest-levenshtein";
import { z } from "zod";
import { isDuration } from "./duration.ts";
import { fieldPath, type Parsed, type Violation } from "./violation.ts";

/** A duration as Go writes it; kept as text, so that a reader gets back what was written. */
export function duration(): z.ZodString {
  return z
    .string({ error: ({ input }) => (input === undefined ? "must be set" : notADuration(input)) })
    .refine(isDuration, { error: ({ input }) => notADuration(input) });
}

/** A port number, 1 to 65535. */
export function port(): z.ZodInt {
  return z.int().min(1).max(65_535);
}

/** A share of 0 to 100 percent: a whole number, or text with decimals such as "0.5". */
export function percentage(): z.ZodUnion<readonly [z.ZodInt, z.ZodString]> {
  const decimal = z.string().refine((text) => /^\d{1,3}(\.\d{1,4})?$/.test(text) && Number(text) <= 100, {
    error: 'must be a share of 0 to 100 percent, such as "12.5"',
  });
  return z.union([z.int().min(0).max(100), decimal]);
}

/** String labels or tags. */
export function stringMap(): z.ZodRecord<z.ZodString, z.ZodString> {
  return z.record(z.string(), z.string());
}

/** Runs a schema over something from outside. Every mistake comes back as a violation under `root`. */
export function parseWith<T>(schema: z.ZodType<T>, raw: unknown, root: readonly PropertyKey[] = []): Parsed<T> {
  const result = schema.safeParse(raw, { error: describe, reportInput: true });
  if (result.success) return { ok: true, value: result.data };
  return {
    ok: false,
    violations: result.error.issues.flatMap((issue) => violationsOf(issue, root)),
  };
}

const UNQUOTED = new WeakSet<object>();

/** Mistakes in what this schema reads are told without what was written: it may be a secret, or be meant as one. */
export function unquoted<Schema extends z.ZodType>(schema: Schema): Schema {
  UNQUOTED.add(schema);
  return schema;
}

type RawIssue = Parameters<z.core.$ZodErrorMap>[0];

// Zod hands the schema node to the error map only, so the names it knows travel in the message until violationsOf.
function describe(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case "unrecognized_keys":
      return JSON.stringify(knownKeys(issue.inst));
    case "invalid_type":
      return issue.input === undefined
        ? "must be set"
        : `must be ${article(issue.expected)}${UNQUOTED.has(issue.inst ?? {}) ? "" : `, not ${shown(issue.input)}`}`;
    case "invalid_value":
      return `must be one of ${issue.values.map((value) => JSON.stringify(value)).join(", ")}${didYouMean(issue)}`;
    case "too_small":
      return issue.origin === "array" || issue.origin === "string"
        ? "must not be empty"
        : `must be at least ${issue.minimum}, not ${shown(issue.input)}`;
    case "too_big":
      return issue.origin === "array" || issue.origin === "string"
        ? `must have at most ${issue.maximum} ${issue.origin === "array" ? "items" : "characters"}`
        : `must be at most ${issue.maximum}, not ${shown(issue.input)}`;
    default:
      return undefined;
  }
}

function violationsOf(issue: z.core.$ZodIssue, root: readonly PropertyKey[]): Violation[] {
  const path = [...root, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    const known = JSON.parse(issue.message) as string[];
    return issue.keys.map((key) => ({
      field: fieldPath([...path, key]),
      message: unknownField(key, known),
    }));
  }
  if (issue.code === "invalid_union") {
    // The branch that came closest says best what is wrong: the one with the deepest first complaint.
    const branch = issue.errors.toSorted((a, b) => depth(b) - depth(a))[0] ?? [];
    const inner = branch.flatMap((nested) => violationsOf(nested, path));
    return inner.length > 0 ? inner : [{ field: fieldPath(path), message: "has no accepted shape" }];
  }
  return [{ field: fieldPath(path), message: issue.message }];
}

/** The message for a field nobody knows, with the nearest known name when one is near. */
export function unknownField(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  return near === undefined
    ? `unknown field; known here: ${known.join(", ")}`
    : `unknown field, did you mean "${near}"?`;
}

/** The candidate that a typing mistake most likely meant, if any is near enough. */
export function nearest(text: string, candidates: readonly string[]): string | undefined {
  if (text.length > 64) return undefined;
  const folded = text.toLowerCase();
  const [best] = candidates
    .map((candidate) => ({ candidate, changes: distance(folded, candidate.toLowerCase()) }))
    .toSorted((a, b) => a.changes - b.changes);
  if (best === undefined) return undefined;
  // A third of the letters may be wrong: "connectTimeout" is still near "connectionTimeout", "timeout" is not.
  const isNear = best.changes <= Math.max(1, best.candidate.length / 3);
  return isNear || sortedLetters(folded) === sortedLetters(best.candidate.toLowerCase()) ? best.candidate : undefined;
}

/** The same for words whose letters are only mixed up, such as "sepc" and "spec". */
function sortedLetters(word: string): string {
  return [...word].toSorted().join("");
}

function depth(issues: readonly z.core.$ZodIssue[]): number {
  return issues[0]?.path.length ?? 0;
}

function knownKeys(schema: unknown): string[] {
  const shape = (schema as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def?.shape;
  return shape === undefined ? [] : Object.keys(shape);
}

function didYouMean(issue: RawIssue & { code: "invalid_value" }): string {
  const near = typeof issue.input === "string" ? nearest(issue.input, issue.values.map(String)) : undefined;
  return near === undefined ? `, not ${shown(issue.input)}` : `, did you mean "${near}"?`;
}

function notADuration(input: unknown): string {
  return `must be a duration such as "5s" or "1h30m", not ${shown(input)}`;
}

function article(type: string): string {
  return /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`;
}

function shown(input: unknown): string {
  const text = JSON.stringify(input) ?? String(input);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
