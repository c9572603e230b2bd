import { RE2JS } from "re2js";
import { z } from "zod";

/**
 * A regular expression over names of metrics, ready to be walked: Envoy's scripts know no regular expressions. `states`
 * has for each state, from 1 on, the next one for each class of characters; 0 is a match, whatever follows.
 */
export interface Automaton {
  /** The class, from 1 on, of each character that a name may have. */
  readonly classes: ReadonlyMap<string, number>;
  readonly states: readonly (readonly number[])[];
  /** Whether a name that ends in this state is a match. */
  readonly final: readonly boolean[];
}

/** Above this an expression is refused: each proxy would keep all of them. */
export const MAX_STATES = 256;

const CHARACTERS = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:"];

/** The automaton that finds a pattern of RE2 anywhere in a name. */
export function automatonOf(pattern: string): Automaton | "invalid" | "too large" {
  const program = programOf(pattern);
  if (program === undefined) return "invalid";
  const start: Place = { at: [], before: "start" };
  const places = new Map([[keyOf(start), 1]]);
  const open = [start];
  const table: number[][] = [];
  const final: boolean[] = [];
  for (const place of open) {
    final.push(step(program, place, undefined) === "match");
    table.push(
      CHARACTERS.map((character) => {
        const next = step(program, place, character);
        if (next === "match") return 0;
        const key = keyOf(next);
        const known = places.get(key);
        if (known !== undefined) return known;
        open.push(next);
        places.set(key, open.length);
        return open.length;
      }),
    );
    if (open.length > MAX_STATES) return "too large";
  }
  return { ...classified(table), final };
}

/** Where a walk over a text stands: the instructions that wait for a character, and what the last one was. */
interface Place {
  readonly at: readonly number[];
  readonly before: "start" | "word" | "other";
}

function keyOf({ at, before }: Place): string {
  return `${before} ${at.join(",")}`;
}

/** The place after one more character, or at the end of the text. A match may begin anywhere. */
function step(program: Program, { at, before }: Place, character: string | undefined): Place | "match" {
  const holds = conditions(before, character);
  const waiting = new Set<number>();
  const seen = new Set<number>();
  const open = [...at, program.start];
  for (const index of open) {
    const instruction = program.instructions[index];
    if (instruction === undefined || seen.has(index)) continue;
    seen.add(index);
    const { op, out, arg } = instruction;
    if (op === OP.match) return "match";
    if (op === OP.either || op === OP.eitherMatch) open.push(out, arg);
    else if (op === OP.capture || op === OP.nothing || (op === OP.condition && (arg & ~holds) === 0)) open.push(out);
    else if (character !== undefined && takes(instruction, character)) waiting.add(out);
  }
  return { at: [...waiting].toSorted((a, b) => a - b), before: isWord(character) ? "word" : "other" };
}

// The instructions of RE2's programs: https://pkg.go.dev/regexp/syntax#InstOp has the same ones.
const OP = {
  either: 1,
  eitherMatch: 2,
  capture: 3,
  condition: 4,
  match: 6,
  nothing: 7,
  runes: 8,
  rune: 9,
  any: 10,
  anyOnLine: 11,
} as const;

/** Bits of what holds between two characters: begin and end of a line and of the text, (no) edge of a word. */
function conditions(before: Place["before"], next: string | undefined): number {
  const isEdge = (before === "word") !== isWord(next);
  return (before === "start" ? 1 | 4 : 0) | (next === undefined ? 2 | 8 : 0) | (isEdge ? 16 : 32);
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /\w/.test(character);
}

function takes({ op, arg, runes }: Instruction, character: string): boolean {
  if (op === OP.any || op === OP.anyOnLine) return true;
  if (op !== OP.runes && op !== OP.rune) return false;
  const code = character.charCodeAt(0);
  // One rune, which may stand for both cases; otherwise pairs of a first and a last one.
  if (runes.length === 1) {
    const wanted = String.fromCodePoint(runes[0] ?? 0);
    return wanted === character || ((arg & 1) === 1 && wanted.toLowerCase() === character.toLowerCase());
  }
  return runes.some((first, index) => index % 2 === 0 && first <= code && code <= (runes[index + 1] ?? first));
}

/** Characters that lead to the same places everywhere share a class. */
function classified(table: readonly (readonly number[])[]): Pick<Automaton, "classes" | "states"> {
  const columns = CHARACTERS.map((_, column) => table.map((row) => row[column]).join(","));
  const kinds = [...new Set(columns)];
  const classes = new Map(CHARACTERS.map((character, column) => [character, kinds.indexOf(columns[column] ?? "") + 1]));
  const states = table.map((row) => kinds.map((kind) => row[columns.indexOf(kind)] ?? 0));
  return { classes, states };
}

/** The program that RE2's own parser makes of a pattern. The library keeps it to itself, so its shape is checked. */
const compiledSchema = z.object({
  prog: z.object({
    start: z.int(),
    inst: z.array(z.object({ op: z.int(), out: z.int(), arg: z.int(), runes: z.instanceof(Int32Array) })),
  }),
});

interface Instruction {
  readonly op: number;
  readonly out: number;
  readonly arg: number;
  readonly runes: Int32Array;
}

interface Program {
  readonly start: number;
  readonly instructions: readonly Instruction[];
}

function programOf(pattern: string): Program | undefined {
  let compiled: unknown;
  try {
    compiled = RE2JS.compile(pattern).re2();
  } catch {
    return undefined;
  }
  const { prog } = compiledSchema.parse(compiled);
  return { start: prog.start, instructions: prog.inst };
}
