import assert from "node:assert/strict";
import { test } from "node:test";
import { goldenFolder } from "@heddle/engine/testkit/golden.ts";
import type { ParsedDocuments } from "@heddle/engine/testkit/parse-documents.ts";
import { policies } from "@heddle/policies/index.ts";
import { kindRegistry } from "../kind.ts";
import { CORE_KINDS } from "../kinds/index.ts";
import { parseResource } from "../parse-resource.ts";
import { LEGACY_KINDS, legacyKindOf } from "./index.ts";
import { present } from "./present.ts";

const kinds = kindRegistry([...CORE_KINDS, ...policies.map(({ kind }) => kind)]);

goldenFolder(`${import.meta.dirname}/cases`, {
  title: "Kuma 2.x",
  isSubject: ({ type }) => legacyKindOf(type) !== undefined,
  others: policies,
  policies,
  tell: translations,
});

/** What the documents are in today's kinds, each of which a user can apply. */
function translations({ resources }: ParsedDocuments): Record<string, object> {
  const mesh = resources.find(({ type }) => type === "Mesh");
  assert.ok(mesh !== undefined);
  const presented = resources.flatMap((resource) => present(resource, mesh as never) ?? []);
  for (const { documents } of presented) for (const document of documents) assertAccepted(document);
  const notes = presented.flatMap((each) => each.notes);
  return {
    translation: presented.flatMap(({ documents }) => documents),
    ...(notes.length > 0 && { notes }),
  };
}

function assertAccepted(document: { readonly type: string }): void {
  if (kinds.byType(document.type) === undefined) return;
  const parsed = parseResource(kinds, document);
  if (!parsed.ok) assert.deepEqual(parsed.violations, [], JSON.stringify(document));
}

test("LEGACY_KINDS name kinds of today that exist, or that are still to come", () => {
  const unknown = LEGACY_KINDS.flatMap(({ legacy }) => legacy.becomes).filter((type) => !type.startsWith("Mesh"));
  assert.deepEqual(unknown, []);
});

test("no two kinds have a path or a short name in common", () => {
  const names = kinds.all.flatMap((kind) => [kind.path, ...(kind.pathAliases ?? [])]);
  const shortNames = kinds.all.flatMap(({ shortName }) => shortName ?? []);
  assert.equal(new Set(names).size, names.length);
  assert.equal(new Set(shortNames).size, shortNames.length);
});
