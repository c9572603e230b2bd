import { parseDuration } from "@heddle/model/duration.ts";
import type { Parsed } from "@heddle/model/violation.ts";

/** One thing an operator can set: in the file (by path), in the environment, or on the command line. */
export interface Setting<Value = unknown> {
  /** Place in the configuration file, Kuma's where Kuma has it: "apiServer.http.port". */
  readonly path: string;
  /** On the command line; rarely needed ones have none. */
  readonly flag?: `--${string}`;
  /** Names in the environment after HEDDLE_ and KUMA_. */
  readonly variables: readonly string[];
  readonly description: string;
  readonly default: Value;
  /** Shown as *** wherever the configuration is shown. */
  readonly secret?: boolean;
  readonly parse: (raw: unknown, field: string) => Parsed<Value>;
}

type Facts<Value> = Omit<Setting<Value>, "parse">;

/** A setting that takes any text. */
export function text(facts: Facts<string>): Setting<string> {
  return {
    ...facts,
    parse: (raw, field) => (typeof raw === "string" ? { ok: true, value: raw } : wrong(field, "must be a text", raw)),
  };
}

/** A TCP port; 0 takes any free one. */
export function port(facts: Facts<number>): Setting<number> {
  return whole({ min: 0, max: 65_535 }, facts);
}

/** A whole number within bounds. */
export function whole(
  { min, max }: { readonly min: number; readonly max: number },
  facts: Facts<number>,
): Setting<number> {
  return {
    ...facts,
    parse: (raw, field) => {
      const value = typeof raw === "string" && /^\d{1,15}$/.test(raw) ? Number(raw) : raw;
      return typeof value === "number" && Number.isInteger(value) && value >= min && value <= max
        ? { ok: true, value }
        : wrong(field, `must be a whole number from ${min} to ${max}`, raw);
    },
  };
}

/** True or false. */
export function toggle(facts: Facts<boolean>): Setting<boolean> {
  return {
    ...facts,
    parse: (raw, field) => {
      if (raw === true || raw === "true" || raw === "1") return { ok: true, value: true };
      if (raw === false || raw === "false" || raw === "0") return { ok: true, value: false };
      return wrong(field, "must be true or false", raw);
    },
  };
}

/** Milliseconds, written as "10s" or "1m30s". */
export function millis(facts: Facts<number>): Setting<number> {
  return { ...facts, parse: (raw, field) => parseDuration(raw, field) };
}

/** One of a few words. */
export function choice<const Word extends string>(words: readonly Word[], facts: Facts<Word>): Setting<Word> {
  return {
    ...facts,
    parse: (raw, field) => {
      const word = words.find((each) => each === raw);
      return word === undefined ? wrong(field, `must be one of ${words.join(", ")}`, raw) : { ok: true, value: word };
    },
  };
}

/** Texts; in the environment and on the command line separated by commas. */
export function texts(facts: Facts<readonly string[]>): Setting<readonly string[]> {
  return {
    ...facts,
    parse: (raw, field) => {
      const list =
        typeof raw === "string"
          ? raw
              .split(",")
              .map((each) => each.trim())
              .filter((each) => each !== "")
          : raw;
      return Array.isArray(list) && list.every((each) => typeof each === "string")
        ? { ok: true, value: list }
        : wrong(field, "must be a list of texts", raw);
    },
  };
}

function wrong(
  field: string,
  message: string,
  raw: unknown,
): { ok: false; violations: { field: string; message: string }[] } {
  return { ok: false, violations: [{ field, message: `${message}, not ${JSON.stringify(raw)}` }] };
}
