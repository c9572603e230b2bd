import assert from "node:assert/strict";
import { test } from "node:test";
import { colored } from "./paint.ts";
import { table, type Column } from "./table.ts";

interface Row {
  readonly name: string;
  readonly tags?: string;
}
const COLUMNS: readonly Column<Row>[] = [
  { title: "NAME", value: ({ name }) => name },
  { title: "TAGS", value: ({ tags }) => tags },
  { title: "MORE", value: ({ name }) => `${name}!`, wide: true },
];

test("table() aligns columns without a frame and without spaces at the ends of lines", () => {
  const text = table(
    [
      { name: "a", tags: "x=1" },
      { name: "longer", tags: "y=2" },
    ],
    COLUMNS,
  );
  assert.equal(text, "NAME     TAGS\na        x=1\nlonger   y=2");
});

test("table() shows a dash for an empty cell, so that the columns after it keep their number", () => {
  assert.equal(table([{ name: "a" }, { name: "b", tags: "" }], COLUMNS), "NAME   TAGS\na      -\nb      -");
});

test("table() shows wide columns only when asked", () => {
  assert.equal(table([{ name: "a", tags: "t" }], COLUMNS, { wide: true }), "NAME   TAGS   MORE\na      t      a!");
});

test("table() aligns coloured cells as if they had no colour", () => {
  const rows = [{ name: "ab" }, { name: "abcdef" }];
  const columns = [
    { title: "S", value: ({ name }: Row) => colored("green", name) },
    { title: "T", value: () => "t" },
  ];
  const [, first, second] = table(rows, columns).split("\n");
  assert.equal(first, `${colored("green", "ab")}       t`);
  assert.equal(second, `${colored("green", "abcdef")}   t`);
});

test("table() cuts its widest column to the width of the terminal", () => {
  const rows = [{ name: "web-1", tags: "k".repeat(200) }];
  const lines = table(rows, COLUMNS, { width: 40 }).split("\n");
  assert.ok(lines.every((line) => line.length <= 40));
  assert.match(lines[1] ?? "", /^web-1 +k+…$/);
});

test("table() cuts nothing where there is no width, and nothing in wide output", () => {
  const rows = [{ name: "web-1", tags: "k".repeat(200) }];
  assert.match(table(rows, COLUMNS), /k{200}/);
  assert.match(table(rows, COLUMNS, { width: 40, wide: true }), /k{200}/);
});
