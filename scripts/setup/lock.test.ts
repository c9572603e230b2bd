import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { withLock } from "./lock.mjs";
import { identifyProcess } from "./process-identity.mjs";

const folder = await mkdtemp(join(tmpdir(), "lock-"));
after(() => rm(folder, { recursive: true }));
const lock = join(folder, "setup.lock");
const never = new AbortController().signal;
const quietly = { onWait: () => {}, signal: never };

test("withLock() removes the lock when the work is done, and when it failed", async () => {
  await withLock(folder, async () => assert.ok(existsSync(lock)), quietly);
  await assert.rejects(
    withLock(folder, () => Promise.reject(new Error("no")), quietly),
    /no/,
  );
  assert.deepEqual(await readdir(folder), []);
});

test("withLock() waits for a living process and says for which", async () => {
  const holder = spawn("sleep", ["60"]);
  await once(holder, "spawn");
  await writeFile(lock, identifyProcess(holder.pid ?? 0) ?? "");
  const waitedFor: number[] = [];
  let isDone = false;
  const onWait = (pid: number) => {
    waitedFor.push(pid);
    assert.equal(isDone, false);
    holder.kill("SIGKILL");
  };
  await withLock(folder, async () => void (isDone = true), { onWait, signal: never });
  assert.deepEqual(waitedFor, [holder.pid]);
});

test("withLock() takes over from a process that died, though its id lives again", async () => {
  await writeFile(lock, `${process.pid} 1`);
  let ran = false;
  await withLock(folder, async () => void (ran = true), quietly);
  assert.ok(ran);
});

test("withLock() stops waiting when it is told to", async () => {
  await writeFile(lock, identifyProcess(process.pid) ?? "");
  const stopper = new AbortController();
  const waiting = withLock(folder, async () => {}, { onWait: () => stopper.abort(), signal: stopper.signal });
  await assert.rejects(waiting, { name: "AbortError" });
  await rm(lock);
});

test("withLock() lets no two works of five processes overlap, with a dead holder's lock in the way", async () => {
  await writeFile(lock, "999999999 1");
  const program = `
    import { withLock } from ${JSON.stringify(join(import.meta.dirname, "lock.mjs"))};
    import { mkdirSync, rmdirSync } from "node:fs";
    const busy = ${JSON.stringify(join(folder, "busy"))};
    for (let round = 0; round < 5; round += 1) {
      await withLock(${JSON.stringify(folder)}, async () => {
        mkdirSync(busy); // fails when another one is at work
        await new Promise((resolve) => setTimeout(resolve, 5));
        rmdirSync(busy);
      }, { onWait() {}, signal: new AbortController().signal });
    }`;
  const workers = Array.from({ length: 5 }, () =>
    spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "ignore", "inherit"] }),
  );
  const codes = await Promise.all(workers.map(async (worker) => (await once(worker, "exit"))[0] as number));
  assert.deepEqual(codes, [0, 0, 0, 0, 0]);
});
