import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDocuments } from "./parse-documents.ts";

const parse = (text: string) => parseDocuments({ name: "a.yaml", text }, "default");

test("parseDocuments() reads documents with their places, and gives them the default mesh", () => {
  const { documents, unreadable } = parse(
    "type: Mesh\nname: m\n---\n# note\ntype: MeshTimeout\nname: t\nmesh: other\n",
  );
  assert.deepEqual(unreadable, []);
  assert.deepEqual(
    documents.map(({ place, type, mesh, name }) => [place, type, mesh, name]),
    [
      ["a.yaml:1, document 1", "Mesh", "default", "m"],
      ["a.yaml:5, document 2", "MeshTimeout", "other", "t"],
    ],
  );
});

test("parseDocuments() calls the only document of a file by the file's name", () => {
  assert.equal(parse("type: Mesh\nname: m\n").documents[0]?.place, "a.yaml");
});

test("parseDocuments() leaves out empty documents", () => {
  assert.equal(parse("---\n# nothing\n---\ntype: Mesh\nname: m\n---\n").documents.length, 1);
});

test("parseDocuments() reads JSON, and the items of a list", () => {
  const { documents } = parse('{"total": 2, "items": [{"type": "Mesh", "name": "a"}, {"type": "Mesh", "name": "b"}]}');
  assert.deepEqual(
    documents.map(({ name, place }) => [name, place]),
    [
      ["a", "a.yaml, item 1"],
      ["b", "a.yaml, item 2"],
    ],
  );
});

test("parseDocuments() tells file, line and column of a syntax error, and shows the line", () => {
  const [error] = parse("type: Mesh\nname: 'm\n").unreadable;
  assert.match(error?.place ?? "", /^a\.yaml:\d+:\d+$/);
  assert.match(error?.message ?? "", /quote/);
  const [tab] = parse("type: Mesh\nmtls:\n\tbackends: []\n").unreadable;
  assert.equal(tab?.place, "a.yaml:3:1");
  assert.equal(tab?.excerpt, "\tbackends: []\n^");
});

test("parseDocuments() tells the mistakes of ten thousand documents in a time that somebody waits", () => {
  const before = process.threadCpuUsage();
  const { unreadable } = parse(Array.from({ length: 10_000 }, () => "]").join("\n---\n"));
  const { user, system } = process.threadCpuUsage(before);
  assert.ok(unreadable.length >= 10_000, String(unreadable.length));
  assert.equal(unreadable[0]?.excerpt, "]\n^");
  assert.ok(user + system < 2_000_000, `it took ${user + system} µs`);
});

const wrong = [
  ["- type: Mesh", /must be an object/],
  ["name: x", /^type: must be set/],
  ["type: Mesh", /^name: must be set/],
  ["type: Mesh\nname: 5", /^name: must be set to a text/],
  ["apiVersion: kuma.io/v1alpha1\nkind: Mesh\nmetadata: {name: x}", /kubectl/],
  ["type: Mesh\nname: *nobody", /^Unresolved alias/],
] as const;
for (const [text, message] of wrong) {
  test(`parseDocuments() refuses ${JSON.stringify(text)}`, () => {
    assert.match(parse(text).unreadable[0]?.message ?? "", message);
  });
}

for (const [what, text] of [
  ["is nothing but mistakes", `type: Mesh\n${"t\n".repeat(30_000)}`],
  ["nests by the thousand", `type: Mesh\nx: ${"{a: ".repeat(20_000)}`],
] as const) {
  test(`parseDocuments() has soon read a file that ${what}`, () => {
    const before = process.threadCpuUsage();
    assert.ok(parse(text).unreadable.length > 0);
    const { user, system } = process.threadCpuUsage(before);
    assert.ok(user + system < 2_000_000, `it took ${(user + system) / 1_000} ms`);
  });
}
