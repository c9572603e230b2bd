import { globSync, readFileSync } from "node:fs";

/** A file of the project: its path from the top of the clone, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** What is generated or fetched stands beside the sources in these folders, and is nobody's writing. */
const NOT_OURS = ["node_modules", "gen", ".tools", ".git"];

/** The files that a pattern names, in the order of their paths. */
export function filesMatching(patterns: readonly string[]): readonly SourceFile[] {
  const exclude = (path: string) => NOT_OURS.includes(path.slice(path.lastIndexOf("/") + 1));
  const paths = globSync([...patterns], { exclude }).toSorted();
  return paths.map((path) => ({ path, text: readFileSync(path, "utf8") }));
}

/** All TypeScript of the packages. */
export function packageSources(): readonly SourceFile[] {
  return filesMatching(["packages/**/*.ts"]);
}

/** "packages/xds/src/server.ts" belongs to "xds". Undefined: to no package. */
export function packageOf(path: string): string | undefined {
  return /^packages\/([^/]+)\//.exec(path)?.[1];
}
