import { RE2JS, RE2JSException } from "re2js";

/** Longest pattern that a resource may hold, in characters. */
export const MAX_PATTERN_LENGTH = 1_024;

// What other engines have and RE2, which Envoy matches with, refuses: groups that look around, are atomic or
// conditional, and references back to a group. https://github.com/google/re2/wiki/Syntax
const GROUP_WITHOUT_RE2 = ["(?=", "(?!", "(?<=", "(?<!", "(?>", "(?(", "(?#", "(?|", "(?R"];
const REPEAT_LIMIT = 1_000;
// RE2 gives up at 8 MB for a compiled pattern, some 130,000 steps over bytes. A step here is a character of any kind.
const STEP_LIMIT = 10_000;
const STEPS_OF_A_PROPERTY = 400;

/**
 * What is wrong with a pattern that Envoy is to match with. Two passes over the text tell the usual mistakes and how long
 * the rest would take; only then RE2's own grammar is asked. It is never run here.
 */
export function whyNotRe2(pattern: string): string | undefined {
  if (pattern.length > MAX_PATTERN_LENGTH) return `must have at most ${MAX_PATTERN_LENGTH} characters`;
  return whyNotAtAGlance(pattern) ?? whyTooMuch(pattern) ?? whyNotGrammar(pattern);
}

/** How many steps a pattern unfolds into: what is repeated counts as often as it may occur. */
function whyTooMuch(pattern: string): string | undefined {
  const open = [0];
  let last = 0;
  for (let at = 0; at < pattern.length; at += 1) {
    const letter = pattern[at];
    const count = letter === "{" ? repeatsOf(pattern.slice(at, at + 16)) : undefined;
    if (letter === "(") {
      open.push(0);
      last = 0;
    } else {
      const isGroup = letter === ")";
      const steps = isGroup ? (open.pop() ?? 0) + 1 : count === undefined ? 1 : last * Math.max(count - 1, 0);
      last = count === undefined ? stepsOf(pattern, at, steps) : last + steps;
      open.push((open.pop() ?? 0) + (count === undefined ? last : steps));
      if (letter === "\\") at = endOfEscape(pattern, at);
      if (letter === "[") at = endOfClass(pattern, at) ?? at;
    }
    if ((open.at(-1) ?? 0) > STEP_LIMIT) return `must not unfold into more than ${STEP_LIMIT} steps: repeat less`;
  }
  return undefined;
}

function stepsOf(pattern: string, at: number, steps: number): number {
  const isClass = pattern[at] === "[";
  const text = isClass ? pattern.slice(at, endOfClass(pattern, at)) : pattern.slice(at, at + 2);
  return /^\\[pP]|^\[.*\\[pP]/s.test(text) ? STEPS_OF_A_PROPERTY : steps;
}

// The name of a property belongs to it: "\pL", "\p{Greek}".
function endOfEscape(pattern: string, at: number): number {
  const [property] = /^\\[pP](\{\w{1,32}\}|\w)/.exec(pattern.slice(at, at + 40)) ?? [];
  return at + (property?.length ?? 2) - 1;
}

function whyNotGrammar(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return `must be a regular expression of RE2: ${error.message.replace(/^error parsing regexp: /, "")}`;
  }
}

function whyNotAtAGlance(pattern: string): string | undefined {
  let groups = 0;
  for (let at = 0; at < pattern.length; at += 1) {
    const letter = pattern[at];
    if (letter === "\\") {
      const escape = whyNotEscape(pattern[at + 1]);
      if (escape !== undefined) return escape;
      at += 1;
    } else if (letter === "[") {
      const end = endOfClass(pattern, at);
      if (end === undefined) return 'must close every "[" with "]"';
      at = end;
    } else if (letter === "(") {
      const group = GROUP_WITHOUT_RE2.find((start) => pattern.startsWith(start, at));
      if (group !== undefined) return `must not use "${group}": Envoy matches with RE2, which has no such group`;
      groups += 1;
    } else if (letter === ")") {
      groups -= 1;
      if (groups < 0) return 'must open a "(" for every ")"';
    } else if (letter === "{" && repeatsTooOften(pattern.slice(at, at + 16))) {
      return `must not repeat anything more than ${REPEAT_LIMIT} times: RE2 refuses that`;
    }
  }
  return groups === 0 ? undefined : 'must close every "(" with ")"';
}

function whyNotEscape(next: string | undefined): string | undefined {
  if (next === undefined) return "must not end with a single backslash";
  if (next >= "1" && next <= "9") return `must not use "\\${next}": RE2 has no references back to a group`;
  return next === "k" ? 'must not use "\\k": RE2 has no references back to a group' : undefined;
}

/** Where a character class ends: "]" right after "[" or "[^" stands for itself. */
function endOfClass(pattern: string, start: number): number | undefined {
  let at = start + (pattern[start + 1] === "^" ? 2 : 1);
  for (at += pattern[at] === "]" ? 1 : 0; at < pattern.length; at += 1) {
    if (pattern[at] === "]") return at;
    if (pattern.startsWith("[:", at)) at = Math.max(at, pattern.indexOf(":]", at) + 1);
    else if (pattern[at] === "\\") at += 1;
  }
  return undefined;
}

function repeatsTooOften(start: string): boolean {
  return (repeatsOf(start) ?? 0) > REPEAT_LIMIT;
}

/** The most that a count says, "{2,5}"; nothing when the "{" opens none and stands for itself. */
function repeatsOf(start: string): number | undefined {
  const [count, least = "0", most = "0"] = /^\{(\d+)(?:,(\d*))?\}/.exec(start) ?? [];
  return count === undefined ? undefined : Math.max(Number(least), Number(most));
}
