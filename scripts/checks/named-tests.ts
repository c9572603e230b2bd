import type { SourceFile } from "./source-files.ts";

/** How a document names a test. */
export const NAMED_TEST_EXAMPLE =
  '`packages/identity/src/leaf.test.ts` "issueCertificate() refuses a certificate for nobody"';

/** Tests that a document names by file and title, or by file alone, and that are not there. */
export function checkNamedTests(documents: readonly SourceFile[], tests: readonly SourceFile[]): readonly string[] {
  const titles = new Map(tests.map(({ path, text }) => [path, titlesIn(text)]));
  return documents.flatMap(({ path: document, text }) =>
    text.split("\n").flatMap((line, index) =>
      namedIn(line).flatMap(({ path, title }) => {
        const known = titles.get(path);
        const place = `${document}:${index + 1}: `;
        if (known === undefined) return [`${place}there is no ${path}`];
        return title === undefined || known.has(title) ? [] : [`${place}${path} has no test "${title}"`];
      }),
    ),
  );
}

function namedIn(line: string): readonly { readonly path: string; readonly title: string | undefined }[] {
  return [...line.matchAll(/`([\w./-]+\.test\.ts)`(?: "([^"]+)")?/g)].map(([, path = "", title]) => ({ path, title }));
}

/** The titles as they are written: that of a test in a loop holds the names of its variables. */
function titlesIn(text: string): ReadonlySet<string> {
  const calls = text.matchAll(/\b(?:test|it|describe|suite)\(\s*(["'`])((?:\\.|(?!\1)[^\\])*)\1/g);
  return new Set([...calls].map(([, , title = ""]) => title.replaceAll(/\\(["'`])/g, "$1")));
}
