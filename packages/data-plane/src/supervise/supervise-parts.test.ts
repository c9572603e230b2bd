import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { isFinished } from "./drain.ts";
import { explainExit } from "./explain-exit.ts";
import { RESTART_DELAYS, restartDelay } from "./restart-delay.ts";
import { shellQuote } from "./shell-quote.ts";

test("shellQuote() gives the shell back exactly the words that went in", () => {
  const word = fc.string({ unit: "binary" }).filter((text) => !text.includes("\0") && text.isWellFormed());
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), (words) => {
      const script = `printf '%s\\0' ${words.map(shellQuote).join(" ")}`;
      const printed = execFileSync("/bin/sh", ["-c", script], { encoding: "utf8" });
      assert.deepEqual(printed.split("\0").slice(0, -1), words);
    }),
    { numRuns: 30 },
  );
});

test("shellQuote() refuses what no command line can carry", () => {
  assert.throws(() => shellQuote("a\0b"), RangeError);
});

test("restartDelay() starts at once, never shrinks, and stays at its cap", () => {
  assert.equal(restartDelay(0), 0);
  fc.assert(fc.property(fc.nat(10_000), (failures) => restartDelay(failures) <= restartDelay(failures + 1)));
  assert.equal(restartDelay(10_000), RESTART_DELAYS.at(-1));
});

const endings = [
  [1, /could not start/],
  [3, /exit code 3/],
  [137, /killed \(SIGKILL\).*memory/],
  [139, /crashed \(SIGSEGV\)/],
  [134, /crashed \(SIGABRT\)/],
  [143, /ended by SIGTERM/],
] as const;

for (const [status, expected] of endings) {
  test(`explainExit() explains status ${status}`, () => assert.match(explainExit(status), expected));
}

const moments = [
  ["nothing is connected", { requests: 0, streams: 0, connections: 0 }, false, 0, true],
  ["a request runs", { requests: 1, streams: 0, connections: 1 }, true, 0, false],
  ["a TCP connection is open", { requests: 0, streams: 1, connections: 1 }, true, 5_000, false],
  ["peers that know hold idle connections", { requests: 0, streams: 0, connections: 2 }, true, 1_500, true],
  ["they have only just become idle", { requests: 0, streams: 0, connections: 2 }, true, 300, false],
  ["peers that do not know hold idle connections", { requests: 0, streams: 0, connections: 2 }, false, 9_000, false],
] as const;

for (const [when, activity, peersKnow, quietMs, expected] of moments) {
  test(`isFinished() is ${expected} when ${when}`, () => {
    assert.equal(isFinished(activity, peersKnow, quietMs), expected);
  });
}
