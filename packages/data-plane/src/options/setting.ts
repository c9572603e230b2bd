import { parseDuration } from "@heddle/model/duration.ts";
import type { Parsed } from "@heddle/model/violation.ts";

/** One thing a user can set: on the command line, or in the environment. */
export interface Setting<Value> {
  /** As typed: "--cp-address". Settings without one exist in the environment only. */
  readonly flag?: `--${string}`;
  readonly short?: `-${string}`;
  /** What the flag takes, for the help: "<url>". A flag without one is a switch. */
  readonly takes?: string;
  /** The part of the environment's name after `HEDDLE_` or `KUMA_`. */
  readonly env?: string;
  /** One line for the help. */
  readonly doc: string;
  /** What the help shows as the default, where the value itself says too little. */
  readonly defaultText?: string;
  readonly fallback: Value;
  /** The flag may be given several times; in the environment a comma stands between. */
  readonly repeatable?: boolean;
  /** Never printed. */
  readonly secret?: boolean;
  /** Reads what the user wrote; `field` is the flag or variable, for the message. */
  readonly parse: (texts: readonly string[], field: string) => Parsed<Value>;
}

type Facts<Value> = Omit<Setting<Value>, "parse">;
type Optional<Value> = Omit<Facts<Value>, "fallback">;

/** A text; undefined when nobody set it. */
export function text(facts: Optional<string>): Setting<string | undefined> {
  return { ...facts, fallback: undefined, parse: (texts) => accepted(last(texts)) };
}

/** One of a few words. */
export function choice<const Word extends string>(words: readonly Word[], facts: Facts<Word>): Setting<Word> {
  return {
    ...facts,
    parse: (texts, field) => {
      const word = words.find((each) => each === last(texts));
      return word === undefined
        ? refused(field, `must be one of ${words.join(", ")}, not "${last(texts)}"`)
        : accepted(word);
    },
  };
}

/** A switch: given or not, and in the environment "true" or "false". */
export function toggle(facts: Facts<boolean>): Setting<boolean> {
  return {
    ...facts,
    parse: (texts, field) => {
      if (["true", "1", ""].includes(last(texts))) return accepted(true);
      if (["false", "0"].includes(last(texts))) return accepted(false);
      return refused(field, `must be true or false, not "${last(texts)}"`);
    },
  };
}

/** Milliseconds, written as "30s" or "1m30s". */
export function millis(facts: Facts<number>): Setting<number> {
  return { ...facts, parse: (texts, field) => parseDuration(last(texts), field) };
}

/** A whole number within bounds; undefined when nobody set it. */
export function count(
  bounds: { readonly min: number; readonly max: number },
  facts: Optional<number>,
): Setting<number | undefined> {
  return { ...facts, fallback: undefined, parse: (texts, field) => parseCount(last(texts), bounds, field) };
}

/** Pairs of texts, each written as `name=value`. */
export function pairs(facts: Optional<Pairs>): Setting<Pairs> {
  return { ...facts, repeatable: true, fallback: {}, parse: parsePairs };
}

export type Pairs = Readonly<Record<string, string>>;

function parseCount(
  raw: string,
  bounds: { readonly min: number; readonly max: number },
  field: string,
): Parsed<number | undefined> {
  const value = /^\d{1,15}$/.test(raw) ? Number(raw) : Number.NaN;
  return value >= bounds.min && value <= bounds.max
    ? accepted(value)
    : refused(field, `must be a whole number from ${bounds.min} to ${bounds.max}, not "${raw}"`);
}

function parsePairs(texts: readonly string[], field: string): Parsed<Pairs> {
  const entries: (readonly [string, string])[] = [];
  for (const each of texts) {
    // Kuma's environment separates with a colon, its flags with "=".
    const [, name, value] = /^([^=:]+)[=:](.*)$/s.exec(each) ?? [];
    if (name === undefined || value === undefined) return refused(field, `must be name=value, not "${each}"`);
    entries.push([name, value]);
  }
  return accepted(Object.fromEntries(entries));
}

function last(texts: readonly string[]): string {
  return texts.at(-1) ?? "";
}

function accepted<Value>(value: Value): Parsed<Value> {
  return { ok: true, value };
}

function refused(
  field: string,
  message: string,
): { readonly ok: false; readonly violations: [{ field: string; message: string }] } {
  return { ok: false, violations: [{ field, message }] };
}
