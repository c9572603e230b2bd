import type { SourceFile } from "./source-files.ts";

/** Texts that are true on one machine only. What is published must read the same to everybody. */
const LOCAL: readonly (readonly [RegExp, string])[] = [
  [
    /(?<![\w.])\/(?:root|work|Users|opt\/wheels)\/\S*/,
    "a path of one machine; write it relative to the clone or with ~",
  ],
  [/(?<![\w.])\/home\/(?!you\b|user\b)\w+/, "a path of one machine; write it relative to the clone or with ~"],
  [
    /\b(?:registry\.npmjs\.org|registry\.yarnpkg\.com|pypi\.org|files\.pythonhosted\.org)\b/,
    "a package registry's host; npm and pip know theirs",
  ],
  [/https?:\/\/[^\s/]*\b(?:artifactory|nexus|verdaccio|devpi)\b/, "a package registry's host; npm and pip know theirs"],
];

/** Paths and hosts of one machine in documentation, YAML and the lock file. */
export function checkPlaces(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, index) =>
      LOCAL.flatMap(([pattern, problem]) => {
        const found = pattern.exec(line)?.[0];
        return found === undefined ? [] : [`${path}:${index + 1}: "${found}" is ${problem}`];
      }),
    ),
  );
}
