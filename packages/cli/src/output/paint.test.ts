import assert from "node:assert/strict";
import { test } from "node:test";
import { paintFor, type ColorMode } from "./paint.ts";

const cases: readonly (readonly [ColorMode, boolean, Readonly<Record<string, string>>, boolean])[] = [
  ["auto", true, {}, true],
  ["auto", false, {}, false],
  ["auto", true, { NO_COLOR: "1" }, false],
  ["auto", true, { NO_COLOR: "" }, true],
  ["auto", true, { TERM: "dumb" }, false],
  ["always", false, { NO_COLOR: "1" }, true],
  ["never", true, {}, false],
];
for (const [mode, isTTY, env, expected] of cases) {
  test(`paintFor() with ${mode}, terminal ${isTTY} and ${JSON.stringify(env)} ${expected ? "colours" : "leaves text alone"}`, () => {
    assert.equal(paintFor(mode, { isTTY }, env)("red", "x") !== "x", expected);
  });
}
