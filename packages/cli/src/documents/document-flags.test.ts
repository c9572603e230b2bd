import assert from "node:assert/strict";
import { test } from "node:test";
import { addVariable } from "./document-flags.ts";

test("addVariable() takes one pair, or several with commas between, and keeps what came before", () => {
  assert.deepEqual(addVariable("a=1"), { a: "1" });
  assert.deepEqual(addVariable("b=2,c=3", { a: "1" }), { a: "1", b: "2", c: "3" });
});

test("addVariable() keeps commas and equals signs that belong to a value", () => {
  assert.deepEqual(addVariable("list=x,y,z"), { list: "x,y,z" });
  assert.deepEqual(addVariable("token=abc=="), { token: "abc==" });
});

test("addVariable() refuses what is no pair", () => {
  assert.throws(() => addVariable("name"), { name: "UsageError", message: /"name": it must be written as key=value/ });
});
