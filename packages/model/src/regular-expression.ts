/** Longest pattern that a resource may hold, in characters. */
export const MAX_PATTERN_LENGTH = 1_024;

// What other engines have and RE2, which Envoy matches with, refuses: groups that look around, are atomic or
// conditional, and references back to a group. https://github.com/google/re2/wiki/Syntax
const GROUP_WITHOUT_RE2 = ["(?=", "(?!", "(?<=", "(?<!", "(?>", "(?(", "(?#", "(?|", "(?R"];
const REPEAT_LIMIT = 1_000;

/**
 * What is wrong with a pattern that Envoy is to match with, if anything can be told at a glance: one pass over the text,
 * which is never run as an expression here. Envoy has the last word.
 */
export function whyNotRe2(pattern: string): string | undefined {
  if (pattern.length > MAX_PATTERN_LENGTH) return `must have at most ${MAX_PATTERN_LENGTH} characters`;
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

// A "{" that opens no count stands for itself.
function repeatsTooOften(start: string): boolean {
  const [, least = "0", most = "0"] = /^\{(\d+)(?:,(\d*))?\}/.exec(start) ?? [];
  return Math.max(Number(least), Number(most)) > REPEAT_LIMIT;
}
