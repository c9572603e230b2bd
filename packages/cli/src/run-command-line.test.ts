import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { text } from "node:stream/consumers";
import { startFake } from "./testkit/fake-control-plane.ts";
import { folderWith, runHeddle } from "./testkit/run-heddle.ts";

const usage = [
  [["gett"], /unknown command 'gett'\n {2}-> Did you mean get\?/],
  [["get", "--outptu", "x"], /unknown option '--outptu'\n {2}-> Did you mean --output\?\n.*heddle get --help/],
  [["config", "control-planes", "ad"], /Did you mean add\?\n.*heddle config control-planes --help/],
  [["inspect", "rules"], /missing required argument 'dataplane'/],
  [["get", "meshes", "--api-timeout", "soon"], /--api-timeout "soon": it must be a duration/],
  [["cp"], /Usage: heddle cp/],
] as const;
for (const [words, expected] of usage) {
  test(`runCommandLine() answers heddle ${words.join(" ")} as wrong usage, on standard error`, async () => {
    const { code, stdout, stderr } = await runHeddle(words);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, expected);
  });
}

test("runCommandLine() shows help on standard output, in three ways the same", async () => {
  const [bare, flag, word] = await Promise.all([
    runHeddle(["get", "--help"]),
    runHeddle(["get", "-h"]),
    runHeddle(["help", "get"]),
  ]);
  assert.equal(bare.code, 0);
  assert.match(bare.stdout, /^Usage: heddle get/);
  assert.equal(flag.stdout, bare.stdout);
  assert.equal(word.stdout, bare.stdout);
  const root = await runHeddle([]);
  assert.equal(root.code, 0);
  assert.match(root.stdout, /Exit codes: 0 .* 1 .* 2 .* 130 /);
});

test("runCommandLine() takes global flags before and after the command", async () => {
  await using fake = await startFake({ "GET /meshes": { body: { total: 0, items: [] } } });
  for (const words of [
    ["--control-plane", fake.address, "get", "meshes"],
    ["get", "meshes", "--control-plane", fake.address],
  ]) {
    assert.equal((await runHeddle(words)).code, 0);
  }
});

test("runCommandLine() tells calls, but no token, with --log-level debug", async () => {
  await using fake = await startFake({ "GET /meshes": { body: { total: 0, items: [] } } });
  const env = { HEDDLE_ADDRESS: fake.address, HEDDLE_TOKEN: "sesame" };
  const { stderr } = await runHeddle(["get", "meshes", "--log-level", "debug"], { env });
  assert.match(stderr, /^GET http:.*\/_resources: 200 in \d+ ms$/m);
  assert.equal(fake.calls[0]?.headers.authorization, "Bearer sesame");
  assert.doesNotMatch(stderr, /sesame/);
});

test("runCommandLine() colours errors only when told to on a pipe", async () => {
  assert.doesNotMatch((await runHeddle(["gett"])).stderr, /\u001b/);
  for (const words of [
    ["gett", "--color", "always"],
    ["gett", "--color=always"],
  ]) {
    assert.match((await runHeddle(words)).stderr, /\u001b\[31mheddle:/);
  }
});

test("runCommandLine() ends quietly when the reader of its output goes away", async () => {
  const items = Array.from({ length: 1_000 }, (_, index) => ({ mesh: "default", name: `${"n".repeat(500)}-${index}` }));
  await using fake = await startFake({ "GET /meshes/default/secrets": { body: { total: 1_000, items } } });
  const main = join(import.meta.dirname, "main.ts");
  const line = `"$0" "$1" get secrets -o json | head -c 10`;
  const shell = spawn("sh", ["-c", line, process.execPath, main], {
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", HEDDLE_ADDRESS: fake.address },
  });
  const [stdout, stderr] = await Promise.all([text(shell.stdout), text(shell.stderr)]);
  assert.equal(stdout.length, 10);
  assert.equal(stderr, "");
});

test("runCommandLine() stops on Ctrl-C with 130", async () => {
  await using fake = await startFake({ "GET /meshes": { lines: [[60_000, undefined]] } });
  const { code, stderr } = await runHeddle(["get", "meshes", "--log-level", "debug"], {
    env: { HEDDLE_ADDRESS: fake.address },
    stopWhen: (log) => log.includes("_resources"),
  });
  assert.equal(code, 130);
  assert.match(stderr, /Stopped/);
});

test("runCommandLine() takes Ctrl-C that comes twice at once for one, as under npm", async () => {
  const main = join(import.meta.dirname, "main.ts");
  await using folder = await folderWith({});
  const ports = [
    "--api-http-port=0",
    "--api-https-port=0",
    "--dp-port=0",
    "--diagnostics-port=0",
    "--rate-limit-port=0",
    "--mads-port=0",
  ];
  const child = spawn(process.execPath, [main, "cp", "run", "--store=memory", ...ports], { cwd: folder.path });
  let output = "";
  child.stdout.resume();
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
    if (!output.includes("is ready") || output.includes("stopping")) return;
    child.kill("SIGINT");
    setTimeout(() => child.kill("SIGINT"), 5);
  });
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  assert.deepEqual([code, signal], [0, null], output);
  assert.match(output, /stopping/);
});
