import { UsageError } from "./cli-error.ts";

/** Takes one `-l key=value` of several. */
export function collectLabel(raw: string, before: readonly string[] = []): readonly string[] {
  if (raw.indexOf("=") < 1) throw new UsageError(`Cannot read label "${raw}": it must be written as key=value`);
  return [...before, raw];
}

/** The query of a list call that keeps only what has all these labels. */
export function labelQuery(labels: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    labels.map((label) => {
      const at = label.indexOf("=");
      return [`filter[labels.${label.slice(0, at)}]`, label.slice(at + 1)];
    }),
  );
}
