import assert from "node:assert/strict";
import { test } from "node:test";
import { CliError } from "./cli-error.ts";
import { plain } from "./output/paint.ts";
import { renderError } from "./render-error.ts";

test("renderError() tells what failed, the facts and what to type next", () => {
  const error = new CliError('Cannot read "x": gone', { details: ["line 1\nline 2"], next: ["heddle get"] });
  assert.equal(renderError(error, plain), 'heddle: Cannot read "x": gone\n  line 1\n  line 2\n  -> heddle get');
});

test("renderError() reads errors of other packages that explain themselves in the same shape", () => {
  const error = Object.assign(new Error("Cannot start the proxy: no"), { details: ["d"], next: ["n"] });
  assert.equal(renderError(error, plain), "heddle: Cannot start the proxy: no\n  d\n  -> n");
});

test("renderError() shows an expected failure as it is, and asks for details of an unexpected one", () => {
  assert.equal(renderError(new Error("Cannot start: no"), plain), "heddle: Cannot start: no");
  assert.match(renderError(new TypeError("x is not a function"), plain), /should not happen.*--log-level debug/);
});

test("renderError() shows the stack with its causes only on demand", () => {
  const error = new CliError("Cannot x: y", { cause: new Error("inner") });
  assert.doesNotMatch(renderError(error, plain), /inner/);
  assert.match(renderError(error, plain, true), /at .*\n[\s\S]*caused by Error: inner/);
});
