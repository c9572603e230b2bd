import { type FileHandle, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { AuditBackend } from "../config/access-settings.ts";
import type { Sink } from "./queue.ts";

type Options = Extract<AuditBackend, { type: "file" }>["file"];

const MEBIBYTE = 1_048_576;
const DAY = 86_400_000;

/** One file that grows at its end, a JSON object a line; a write is over when it is on disk. Throws when it cannot be opened. */
export async function openFileSink({ path, rotation }: Options, now: () => Date): Promise<Sink> {
  const largest = (rotation?.maxSizeMb ?? 100) * MEBIBYTE;
  const rotates = rotation?.enabled ?? true;
  let { file, size } = await openAtEnd(path);
  let torn = false;

  const rotate = async (): Promise<void> => {
    await file.close();
    await rename(path, await freeName(path, now()));
    ({ file, size } = await openAtEnd(path));
    await removeOld(path, { keep: rotation?.maxRetainedFiles ?? 10, days: rotation?.maxAgeDays ?? 30, now: now() });
  };
  return {
    name: `the file "${path}"`,
    write: async (lines) => {
      if (rotates && size >= largest) await rotate();
      // A write that failed may have left half a line behind; the next one must not be glued to it.
      const text = `${torn ? "\n" : ""}${lines.join("\n")}\n`;
      torn = true;
      await file.appendFile(text);
      await file.datasync();
      torn = false;
      size += Buffer.byteLength(text);
    },
    [Symbol.asyncDispose]: async () => await file.close(),
  };
}

async function openAtEnd(path: string): Promise<{ file: FileHandle; size: number }> {
  const file = await open(path, "a+", 0o600);
  const { size } = await file.stat();
  if (size > 0 && !(await endsWithLine(file, size))) await file.appendFile("\n");
  // The name of a new file is on disk only when its folder is.
  const folder = await open(dirname(path), "r");
  await folder.sync();
  await folder.close();
  return { file, size };
}

// A control plane that was killed while it wrote leaves half a line.
async function endsWithLine(file: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString() === "\n";
}

async function freeName(path: string, now: Date): Promise<string> {
  const stamp = now.toISOString().replaceAll(/[:.]/g, "-");
  for (let attempt = 0; ; attempt += 1) {
    const name = `${path}.${stamp}${attempt === 0 ? "" : `-${attempt}`}`;
    const taken = await stat(name).then(
      () => true,
      () => false,
    );
    if (!taken) return name;
  }
}

interface Retention {
  readonly keep: number;
  readonly days: number;
  readonly now: Date;
}

/** 0 keeps all, as in Kong Mesh. Names hold the time of rotation, so their order is that of their age. */
async function removeOld(path: string, { keep, days, now }: Retention): Promise<void> {
  const own = new RegExp(`^${RegExp.escape(basename(path))}\\.\\d{4}-\\d{2}-\\d{2}T[\\d-]+Z(-\\d+)?$`);
  const rotated = (await readdir(dirname(path)))
    .filter((name) => own.test(name))
    .toSorted()
    .toReversed();
  for (const [index, name] of rotated.entries()) {
    const file = join(dirname(path), name);
    const age = now.getTime() - (await stat(file)).mtimeMs;
    if ((keep > 0 && index >= keep) || (days > 0 && age > days * DAY)) await rm(file, { force: true });
  }
}
