import { stringify } from "yaml";
import { HOSTILE_TEXTS } from "./dictionary.ts";
import { mutateBytes, mutateTree } from "./mutate.ts";
import type { Random } from "./random.ts";

/** Something of the product that reads what comes from outside. */
export interface Target {
  readonly name: string;
  /** How long one input may take, where nobody else waits meanwhile; LONGEST_MILLIS unless set. */
  readonly longestMillis?: number;
  /** Makes up one input. */
  readonly make: (random: Random) => Uint8Array;
  /** Gives it to the product. Throws, or rejects, for what must not happen. */
  readonly run: (input: Uint8Array) => void | Promise<void>;
}

/** A target that is set up when it is its turn: servers, keys, what it begins with. */
export interface TargetPlan {
  readonly name: string;
  /** Which share of the inputs of a long run it gets, relative to the others. */
  readonly share: number;
  readonly open: (stack: AsyncDisposableStack) => Target | Promise<Target>;
}

/** Inputs that are bytes: those that are known, changed a little. */
export function fromBytes(corpus: readonly Uint8Array[]): (random: Random) => Uint8Array {
  return (random) => mutateBytes(random.pick(corpus), random.pick(corpus), random);
}

/** Inputs that are texts. */
export function fromTexts(corpus: readonly string[]): (random: Random) => Uint8Array {
  const bytes = fromBytes(corpus.map((text) => Buffer.from(text)));
  return (random) => (random.oneIn(12) ? soup(random) : bytes(random));
}

// Twice what a body may have: every port refuses more before anything reads it, and a tree can grow to a hundred times that.
const LONGEST_TEXT = 2 * 1_048_576;

/** Inputs that are documents: trees that are changed and written as JSON or YAML, sometimes with the text changed too. */
export function fromTrees(trees: readonly unknown[], { yaml }: { readonly yaml: boolean }): Target["make"] {
  return (random) => {
    const tree = mutateTree(random.pick(trees), trees, random);
    const text = yaml && random.oneIn(8) ? yamlOf(tree) : (JSON.stringify(tree) ?? "null");
    const bytes = Buffer.from(text.slice(0, LONGEST_TEXT));
    return random.oneIn(5) ? mutateBytes(bytes, bytes, random) : bytes;
  };
}

/** One of several ways to make an input up. */
export function oneOf(...makers: readonly Target["make"][]): Target["make"] {
  return (random) => random.pick(makers)(random);
}

/** Bytes as the text that a server makes of them. */
export function textOf(input: Uint8Array): string {
  return Buffer.from(input).toString("utf8");
}

/** A document as JSON, or the text itself when it is none. */
export function treeOf(input: Uint8Array): unknown {
  const text = textOf(input);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Runs what may throw errors of the kinds that its caller expects, and no others. */
export function allowing<Result>(action: () => Result, ...expected: readonly ErrorType[]): Result | undefined {
  try {
    return action();
  } catch (error) {
    if (expected.some((type) => error instanceof type)) return undefined;
    throw error;
  }
}

/** A class of errors. */
export type ErrorType = new (...args: never[]) => Error;

/** Throws when something that always holds does not. */
export function holds(isTrue: boolean, law: string): void {
  if (!isTrue) throw new Error(`a law is broken: ${law}`);
}

function soup(random: Random): Uint8Array {
  const pieces = Array.from({ length: 1 + random.below(12) }, () => random.pick(HOSTILE_TEXTS));
  return Buffer.from(pieces.join(random.oneIn(2) ? "" : " "));
}

function yamlOf(tree: unknown): string {
  try {
    return stringify(tree);
  } catch {
    return String(tree);
  }
}
