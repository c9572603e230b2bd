import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { closingLines } from "./counts.ts";
import { runFile } from "./run-file.ts";

const folder = await mkdtemp(join(tmpdir(), "run-file-"));
after(() => rm(folder, { recursive: true }));

async function run(body: string, limitSeconds = 30) {
  const path = join(folder, "some.test.ts");
  await writeFile(path, `import { test } from "node:test";\nimport assert from "node:assert";\n${body}`);
  return runFile(path, { limitSeconds, nodeOptions: [], signal: new AbortController().signal });
}

test("runFile() counts what passed and what failed", async () => {
  const { ok, counts, output } = await run('test("a", () => {}); test("b", () => assert.equal(1, 2));');
  assert.deepEqual([ok, counts.tests, counts.pass, counts.fail], [false, 2, 1, 1]);
  assert.match(output, /✖ b/);
  assert.equal((await run('test("a", () => {});')).ok, true);
});

test("runFile() takes a file that cannot be loaded as a failed test", async () => {
  const { ok, counts, output } = await run('import "./nowhere.ts";');
  assert.deepEqual([ok, counts.fail], [false, 1]);
  assert.match(output, /nowhere\.ts/);
});

test("runFile() stops a file that does not end, and counts it as failed", async () => {
  const { ok, counts, output } = await run('test("a", () => {}); setInterval(() => {}, 1000);', 2);
  assert.deepEqual([ok, counts.fail], [false, 1]);
  assert.match(output, /stopped after 2 s/);
});

test("runFile() ends what the tests left running", async () => {
  const pidFile = join(folder, "pid");
  await run(`
    import { spawn } from "node:child_process";
    import { writeFileSync } from "node:fs";
    const child = spawn("sleep", ["60"], { stdio: "inherit" });
    child.unref();
    writeFileSync(${JSON.stringify(pidFile)}, String(child.pid));
    test("a", () => {});`);
  const pid = Number(await readFile(pidFile, "utf8"));
  // A killed process is gone once its parent, now init, has taken note.
  await sleep(200);
  const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "gone");
  assert.match(state, /^gone$|\) Z /);
});

test("closingLines() are those of node:test", () => {
  const counts = { tests: 3, suites: 0, pass: 2, fail: 1, cancelled: 0, skipped: 0, todo: 0 };
  assert.equal(
    closingLines(counts, 1.5),
    "# tests 3\n# suites 0\n# pass 2\n# fail 1\n# cancelled 0\n# skipped 0\n# todo 0\n# duration_ms 1500",
  );
});
