import { readFileSync } from "node:fs";
import type { Automaton } from "./automaton.ts";

/** A value as a script is to see it. */
export type LuaValue =
  | string
  | number
  | boolean
  | readonly LuaValue[]
  | { readonly [key: string]: LuaValue | undefined };

/** What one of the scripts of this folder runs as, with what it reads as CONF. */
export function script(name: "prometheus" | "otlp", conf: LuaValue): string {
  return `local CONF = ${luaText(conf)}\n${GATHER}${TEXTS[name]}`;
}

/** A value in Lua's syntax. */
export function luaText(value: LuaValue): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value !== "object") return String(value);
  if (isList(value)) return `{${value.map(luaText).join(",")}}`;
  const fields = Object.entries(value).filter((entry): entry is [string, LuaValue] => entry[1] !== undefined);
  return `{${fields.map(([key, each]) => `[${quoted(key)}]=${luaText(each)}`).join(",")}}`;
}

/** An automaton as gather.lua walks it. */
export function luaAutomaton({ classes, states, final }: Automaton): LuaValue {
  return { classes: Object.fromEntries(classes), states, final: final.map(Number) };
}

function isList(value: LuaValue & object): value is readonly LuaValue[] {
  return Array.isArray(value);
}

// Whatever users wrote is text there and nothing else: all but plain characters are written by their number.
function quoted(text: string): string {
  const bytes = [...Buffer.from(text)].map((byte) => {
    const character = String.fromCharCode(byte);
    return /[\w \-./:,=$^*+?()[\]{}|]/.test(character) ? character : `\\${String(byte).padStart(3, "0")}`;
  });
  return `"${bytes.join("")}"`;
}

// Every proxy gets the whole text, so it goes without what is for people.
function load(name: string): string {
  const text = readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), "utf8");
  return `${text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("--"))
    .join("\n")}\n`;
}

const GATHER = load("gather");
const TEXTS = { prometheus: load("prometheus"), otlp: load("otlp") } as const;
