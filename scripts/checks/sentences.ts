import type { SourceFile } from "./source-files.ts";

/** What such a sentence reads like. */
export const SENTENCE_EXAMPLE = "/** True once two thirds of the certificate's life has passed. */";

/** Exported functions and classes without a sentence above them. */
export function checkSentences(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.split("\n");
    return lines.flatMap((line, index) => {
      const name = exportedName(line);
      if (name === undefined || isLaterOverload(lines, index, name) || hasSentence(lines, index)) return [];
      return [`${path}:${index + 1}: ${name} has no sentence above it that says what it does`];
    });
  });
}

function exportedName(line: string): string | undefined {
  return /^export (?:async )?(?:function\*?|(?:abstract )?class) (\w+)/.exec(line)?.[1];
}

/** One sentence stands above all overloads of a function; each but the last is a line that ends with a semicolon. */
function isLaterOverload(lines: readonly string[], index: number, name: string): boolean {
  for (let above = index - 1; above >= 0; above -= 1) {
    const line = lines[above] ?? "";
    if (exportedName(line) === name) return true;
    // Parameters and braces of a signature over several lines.
    if (!/^(\s|\)|\})/.test(line) || line.startsWith(" *") || line === "}") return false;
  }
  return false;
}

function hasSentence(lines: readonly string[], index: number): boolean {
  if (lines[index - 1]?.trimEnd().endsWith("*/") !== true) return false;
  const start = lines.findLastIndex((line, at) => at < index && line.startsWith("/**"));
  const words = lines.slice(start, index).join(" ").replace(/[/*]+/g, " ").trim();
  return /^\S+\s+\S+\s+\S+.*[.:?!)]/.test(words);
}
