import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";

/** The path of a store in a new temporary folder, which is removed after the test. */
export function temporaryFile(t: Pick<TestContext, "after">): string {
  return join(temporaryFolder(t), "data", "heddle.db");
}

/** A new temporary folder, which is removed after the test. */
export function temporaryFolder(t: Pick<TestContext, "after">): string {
  const folder = mkdtempSync(join(tmpdir(), "heddle-store-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What another process says when it opens the store and closes it again: "opened", or the text of the error. */
export function openElsewhere(file: string, identity: { readonly uid?: number } = {}): string {
  const script = join(import.meta.dirname, "open.testkit.ts");
  const { stdout, stderr } = spawnSync(process.execPath, [script, file], { encoding: "utf8", ...identity });
  return `${stdout}${stderr}`.trim();
}

/** Another process that works on a store, and the lines that it prints. */
export interface WriterProcess {
  readonly child: ChildProcess;
  readonly lines: AsyncIterable<string>;
}

/** Starts `writer.testkit.ts`, which writes to the store until it is killed; it is killed after the test at the latest. */
export function startWriter(t: Pick<TestContext, "after">, file: string, first = 0): WriterProcess {
  const script = join(import.meta.dirname, "writer.testkit.ts");
  const child = spawn(process.execPath, [script, file, String(first)], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => kill(child));
  return { child, lines: createInterface({ input: child.stdout }) };
}

/** Kills a process so that it can do nothing about it, and waits until it is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}
