import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import type { JsonValue } from "@bufbuild/protobuf";
import type { Resource } from "@heddle/model/resource.ts";
import { stringify } from "yaml";
import { compile, type Compiled } from "../compile.ts";
import { Memo } from "../memo.ts";
import type { Policy } from "../policy.ts";
import { assertEnvoyAccepts } from "./envoy-accepts.ts";
import { decoded } from "./decode.ts";
import { isDataplane, meshOf } from "./mesh-of.ts";
import { type ParsedDocuments, parseDocuments } from "./parse-documents.ts";

/**
 * One test for every `cases/<name>.yaml` of a policy's folder, and one that gives everything they make to a real Envoy.
 * A case is what a user would apply: a Mesh, Dataplanes of which the first is the one to look at, and policies. Beside it
 * stands `<name>.golden.yaml`: only what the policy changed for that proxy, or what is wrong with the documents.
 * UPDATE_GOLDEN=1 writes the goldens instead of comparing; `policies` are all that a case may use.
 */
export function goldenCases(folder: string, policy: Policy, policies: readonly Policy[]): void {
  const { type } = policy.kind;
  const others = policies.filter((other) => other !== policy);
  goldenFolder(folder, { title: type, isSubject: (resource) => resource.type === type, others, policies });
}

/** What the cases of a folder are about. */
export interface GoldenSubject {
  readonly title: string;
  /** The documents whose effect is shown. */
  readonly isSubject: (resource: Resource) => boolean;
  /** Policies that are there without them, and with them. */
  readonly others: readonly Policy[];
  readonly policies: readonly Policy[];
  /** What is to be shown beside their effect. */
  readonly tell?: (documents: ParsedDocuments) => Record<string, object>;
}

/** The same for what is no policy of its own. */
export function goldenFolder(folder: string, subject: GoldenSubject): void {
  const { title, policies } = subject;
  const cases = readdirSync(folder).filter((file) => file.endsWith(".yaml") && !file.endsWith(".golden.yaml"));
  for (const file of cases.toSorted()) {
    test(`${title} does what its case says: ${basename(file, ".yaml").replaceAll("-", " ")}`, () => {
      const golden = join(folder, file.replace(/\.yaml$/, ".golden.yaml"));
      compare(golden, goldenOf(readFileSync(join(folder, file), "utf8"), subject));
    });
  }
  test(`${title} has a case for every golden file`, () => {
    const made = cases.map((file) => file.replace(/\.yaml$/, ".golden.yaml"));
    const there = readdirSync(folder).filter((file) => file.endsWith(".golden.yaml"));
    assert.deepEqual(there.toSorted(), made.toSorted());
  });
  test(`${title} makes nothing that Envoy refuses`, { timeout: 60_000 }, async () => {
    const compiled = cases.flatMap((file) => {
      const documents = parseDocuments(readFileSync(join(folder, file), "utf8"), policies);
      return isValid(documents) ? [{ name: file, compiled: compileSubject(documents, policies) }] : [];
    });
    await assertEnvoyAccepts(compiled);
  });
}

function compare(file: string, text: string): void {
  if (process.env["UPDATE_GOLDEN"] === "1") {
    writeFileSync(file, text);
    return;
  }
  assert.ok(existsSync(file), `there is no ${file}; UPDATE_GOLDEN=1 writes it`);
  assert.equal(text, readFileSync(file, "utf8"));
}

function goldenOf(yaml: string, { isSubject, others, policies, tell }: GoldenSubject): string {
  const documents = parseDocuments(yaml, policies);
  const { violations, warnings } = documents;
  const said = { ...notEmpty({ violations }), ...notEmpty({ warnings }) };
  if (!isValid(documents)) return yamlOf(said);
  const rest = documents.resources.filter((resource) => !isSubject(resource));
  const before = compileSubject({ ...documents, resources: rest }, others);
  const after = compileSubject(documents, policies);
  const told = tell?.(documents) ?? {};
  return yamlOf({ ...said, ...told, ...notEmpty({ conflicts: conflictsOf(after) }), ...changesBetween(before, after) });
}

function compileSubject({ resources }: ParsedDocuments, policies: readonly Policy[]): Compiled {
  const mesh = meshOf(resources);
  const subject = resources.find(isDataplane);
  const entry = subject && mesh.dataplanes.get(subject.name);
  if (entry === undefined) throw new Error("Cannot compile a case: no document is of type Dataplane; add one");
  return compile(mesh, entry, policies, new Memo());
}

function isValid({ violations }: ParsedDocuments): boolean {
  return Object.keys(violations).length === 0;
}

function changesBetween(before: Compiled, after: Compiled): Record<string, unknown> {
  const old = new Map(resourcesOf(before).map((each) => [each.id, each.resource]));
  const made = resourcesOf(after);
  const changed = made.filter(({ id, resource }) => old.has(id) && old.get(id)?.version !== resource.version);
  const added = made.filter(({ id }) => !old.has(id));
  const kept = new Set(made.map(({ id }) => id));
  const removed = [...old.keys()].filter((id) => !kept.has(id));
  const json = (list: typeof made): unknown[] => list.map(({ resource }) => shortened(decoded(resource)));
  const result = { ...notEmpty({ added: json(added), changed: json(changed), removed }) };
  return Object.keys(result).length === 0 ? { changed: [] } : result;
}

// Of a script only what stands in front: the rest is the same in every case, and has tests of its own.
function shortened(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(shortened);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shortened(inner)]));
  const lines = typeof value === "string" ? value.split("\n") : [];
  return lines.length > SHOWN_LINES ? `${lines[0]}\n... and more` : value;
}
const SHOWN_LINES = 20;

function resourcesOf({ resources }: Compiled) {
  return [...resources.values()]
    .flatMap((byName) => [...byName.values()])
    .map((resource) => ({ id: `${resource.typeUrl.split(".").at(-1)} ${resource.name}`, resource }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function conflictsOf({ inbounds, outbounds }: Compiled): readonly string[] {
  return [...inbounds, ...outbounds].flatMap(({ conflicts }) =>
    conflicts.map(({ unit, slot, kept, dropped }) => `${unit}: ${slot} of ${kept.kind} instead of ${dropped.kind}`),
  );
}

function notEmpty(fields: Record<string, object>): Record<string, object> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => Object.keys(value).length > 0));
}

function yamlOf(value: unknown): string {
  return stringify(value, { lineWidth: 120, aliasDuplicateObjects: false });
}
