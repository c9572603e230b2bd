import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { folderWith, runHeddle } from "../../testkit/run-heddle.ts";

const FREE_PORTS = ["api-http", "api-https", "dp", "diagnostics", "rate-limit"].flatMap((port) => [
  `--${port}-port`,
  "0",
]);

test("cp run starts a control plane and ends it on Ctrl-C", async () => {
  await using folder = await folderWith({});
  const { code, stdout, stderr } = await runHeddle(["cp", "run", "--store", "memory", ...FREE_PORTS], {
    cwd: folder.path,
    stopWhen: (...outputs) => outputs.some((output) => output.includes("control plane is ready")),
  });
  assert.match(stdout + stderr, /control plane is ready/);
  assert.equal(code, 0);
});

test("cp run names every wrong setting, from a file and from flags", async () => {
  await using folder = await folderWith({ "conf.yaml": "store:\n  type: paper\n" });
  const words = ["cp", "run", "-c", join(folder.path, "conf.yaml"), "--api-http-port", "many"];
  const { code, stderr } = await runHeddle(words, { cwd: folder.path });
  assert.equal(code, 2);
  assert.match(stderr, /store\.type: must be one of/);
  assert.match(stderr, /--api-http-port: must be a whole number/);
});
