import assert from "node:assert/strict";
import { test } from "node:test";
import { runHeddle } from "../../testkit/run-heddle.ts";

test("dp run names every wrong setting, from flags and from the environment", async () => {
  const { code, stderr } = await runHeddle(["dp", "run", "--drain-time", "soon", "--dataplane-var", "a"], {
    env: { HEDDLE_DATAPLANE_RUNTIME_CONCURRENCY: "many" },
  });
  assert.equal(code, 2);
  assert.match(stderr, /--drain-time must be a duration/);
  assert.match(stderr, /--dataplane-var must be name=value/);
  assert.match(stderr, /HEDDLE_DATAPLANE_RUNTIME_CONCURRENCY must be a whole number/);
});

test("dp run says what it needs, and what to type next", async () => {
  const { code, stderr } = await runHeddle(["dp", "run", "--dataplane-file", "/nonexistent.yaml"]);
  assert.equal(code, 1);
  assert.match(stderr, /^heddle: Cannot /);
  assert.match(stderr, /nonexistent\.yaml/);
});
