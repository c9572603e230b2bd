import assert from "node:assert/strict";
import { test } from "node:test";
import { boundedRun, SEED } from "./bounded-run.ts";
import { TARGETS } from "./targets.ts";
import { SERVER_TARGETS } from "./targets/servers.ts";

for (const plan of TARGETS.filter(({ name }) => SERVER_TARGETS.every((server) => server.name !== name))) {
  test(`whatever ${plan.name} gets, it takes or refuses in time (HEDDLE_FUZZ_SEED=${SEED})`, async () => {
    assert.deepEqual(await boundedRun(plan), []);
  });
}
