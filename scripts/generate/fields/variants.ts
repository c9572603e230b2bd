import { isDuration } from "@heddle/model/duration.ts";
import { definitionOf, type Place, valuesOf } from "./schema-fields.ts";

type Step = string | number;

/** A spec that differs in one place. */
export interface Variant {
  readonly spec: unknown;
  /** A whole item of a section is gone, and whatever else it said with it. */
  readonly isWhole: boolean;
}

/** The same spec with one place changed to something else, the nearest first: other values, then without it. */
export function* variantsOf(spec: unknown, place: Place): Generator<Variant> {
  for (const value of otherValues(place)) yield { spec: withValue(spec, place.at, value), isWhole: false };
  // A field that must be there goes with what it belongs to; an item of a section is never the field's own effect.
  for (let length = place.at.length; length > 2; length -= 1)
    yield { spec: withValue(spec, place.at.slice(0, length), undefined), isWhole: length < 3 };
}

function otherValues({ value, schema }: Place): readonly unknown[] {
  const words = valuesOf(definitionOf(schema));
  if (words.length > 0) return words.filter((word) => word !== value).slice(0, 4);
  if (typeof value === "boolean") return [!value];
  if (typeof value === "number") return [value + 1, value - 1, value * 2];
  if (typeof value === "string") return otherTexts(value);
  return [];
}

function otherTexts(text: string): readonly string[] {
  if (isDuration(text)) return ["7s", "70ms", "11s", "2h", "0s"].filter((other) => other !== text);
  if (/^\d+(\.\d+)?$/.test(text)) return [String(Number(text) + 1), String(Number(text) - 1)];
  return [`${text}x`, `x${text}`, `${text}.x`, `${text}/x`];
}

/** A copy with something else at a place; undefined takes the place out. */
function withValue(document: unknown, [step, ...rest]: readonly Step[], value: unknown): unknown {
  if (step === undefined) return value;
  if (Array.isArray(document)) {
    const items = document as readonly unknown[];
    return rest.length === 0 && value === undefined
      ? items.filter((_, index) => index !== step)
      : items.map((item, index) => (index === step ? withValue(item, rest, value) : item));
  }
  const fields = document as Readonly<Record<string, unknown>>;
  const changed = { ...fields, [step]: withValue(fields[step], rest, value) };
  return Object.fromEntries(Object.entries(changed).filter(([, inner]) => inner !== undefined));
}
