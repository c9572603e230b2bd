import assert from "node:assert/strict";
import { test } from "node:test";
import { checkMachine, thisMachine } from "./machine.mjs";

test("checkMachine() accepts the machine of these tests, and its sibling", () => {
  checkMachine(thisMachine());
  checkMachine({ platform: "linux", arch: "arm64", glibc: "2.31" });
});

const refused = [
  [{ platform: "darwin", arch: "arm64", glibc: undefined }, /Cannot set up on darwin arm64/],
  [{ platform: "linux", arch: "riscv64", glibc: "2.39" }, /Cannot set up on linux riscv64/],
  [{ platform: "linux", arch: "x64", glibc: undefined }, /it has no glibc/],
  [{ platform: "linux", arch: "x64", glibc: "2.28" }, /its glibc is 2\.28/],
] as const;

for (const [machine, message] of refused) {
  test(`checkMachine() refuses ${JSON.stringify(machine)} and says what to use`, () => {
    assert.throws(() => checkMachine(machine), { name: "SetupError", message, next: /^Use a/ });
  });
}
