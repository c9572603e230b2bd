import assert from "node:assert/strict";
import { test } from "node:test";
import { checkImports } from "./imports.ts";
import { checkNamedTests } from "./named-tests.ts";
import { checkPlaces } from "./places.ts";
import { checkSentences } from "./sentences.ts";

const good = [
  ["packages/xds/src/server.ts", 'import { keyText } from "@heddle/model/resource.ts";'],
  ["packages/xds/src/server.ts", 'import type { Frame } from "./frame.ts";'],
  ["packages/xds/src/server.ts", 'import { connect } from "node:http2";'],
  ["packages/api/src/api.test.ts", 'import { memoryStore } from "@heddle/store/memory/memory-store.ts";'],
  ["packages/envoy/src/any.test.ts", 'import fc from "fast-check";'],
  ["packages/cli/src/commands/cp.ts", 'const { run } = await import("@heddle/control-plane/main.ts");'],
] as const;

for (const [path, text] of good) {
  test(`checkImports() accepts ${text} in ${path}`, () => {
    assert.deepEqual(checkImports([{ path, text }]), []);
  });
}

const bad = [
  ["packages/xds/src/server.ts", 'import { x } from "@heddle/store/store.ts";', /xds may not import store/],
  ["packages/model/src/kri.ts", 'import {\n  x,\n} from "@heddle/envoy/any.ts";', /model may not import envoy/],
  ["packages/api/src/api.test.ts", 'import { x } from "@heddle/cli/main.ts";', /api may not import cli/],
  ["packages/engine/src/match/match.ts", 'import "../../../model/src/kri.ts";', /imported by name/],
  ["packages/engine/src/compile.ts", 'import fc from "fast-check";', /does not name fast-check/],
  ["packages/policies/mesh-a/policy.ts", 'export { x } from "../mesh-b/policy.ts";', /do not know each other/],
] as const;

for (const [path, text, problem] of bad) {
  test(`checkImports() refuses ${text} in ${path}`, () => {
    const findings = checkImports([{ path, text }]);
    assert.equal(findings.length, 1);
    assert.match(findings[0] ?? "", problem);
  });
}

test("checkSentences() names exported functions and classes without a sentence, and their lines", () => {
  const text = `/** Adds two numbers. */
export function add(): void {}

/** add */
export function short(): void {}

export async function bare(): Promise<void> {}

// A remark is not documentation.
export class Remarked {}

function internal(): void {}
`;
  assert.deepEqual(
    checkSentences([{ path: "a.ts", text }]).map((finding) => finding.slice(0, finding.indexOf(" has"))),
    ["a.ts:5: short", "a.ts:7: bare", "a.ts:10: Remarked"],
  );
});

test("checkSentences() asks for one sentence for all overloads", () => {
  const text = `/** Reads a time; undefined stays undefined. */
export function read(text: string): number;
export function read(
  text: string | undefined,
): number | undefined;
export function read(text: string | undefined): number | undefined {
  return Number(text);
}
`;
  assert.deepEqual(checkSentences([{ path: "a.ts", text }]), []);
});

test("checkPlaces() finds paths and hosts of one machine", () => {
  const text = "see ~/.heddle and /etc/heddle\nin /home/alice/heddle\nfrom https://registry.npmjs.org/yaml\n";
  const findings = checkPlaces([{ path: "a.md", text }]);
  assert.deepEqual(
    findings.map((finding) => finding.slice(0, 7)),
    ["a.md:2: ", "a.md:3: "].map((start) => start.slice(0, 7)),
  );
});

test("checkNamedTests() finds tests that a document names and that are gone", () => {
  const text = `test("keeps \\"this\\" out", () => {});\n  test(\`says \${what}\`,\n () => {});\ntest(\n  "wraps",\n  x);`;
  const document = [
    '`a.test.ts` and `a.test.ts` "says ${what}"; `a.test.ts` "wraps"',
    '`a.test.ts` "keeps that out"',
    "`b.test.ts`",
  ].join("\n");
  assert.deepEqual(checkNamedTests([{ path: "d.md", text: document }], [{ path: "a.test.ts", text }]), [
    'd.md:2: a.test.ts has no test "keeps that out"',
    "d.md:3: there is no b.test.ts",
  ]);
});
