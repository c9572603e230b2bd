import { lstat, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const PREFIX = "heddle-demo-";
/** Says whose folder it is: a number is given to another process sooner or later, a number and a start are not. */
const OWNER_FILE = "owner";

/** Makes the folder of this run, and removes those that killed runs of this user left behind in the same place. */
export async function openDemoFolder(parent: string): Promise<string> {
  await removeLeftovers(parent);
  const folder = await mkdtemp(join(parent, PREFIX));
  const owner = await processMark(process.pid);
  if (owner !== undefined) await writeFile(join(folder, OWNER_FILE), owner, { mode: 0o600 });
  return folder;
}

async function removeLeftovers(parent: string): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(PREFIX));
  for (const name of names) {
    const folder = join(parent, name);
    if ((await isOurs(folder)) && (await isOwnerDead(folder))) await rm(folder, { recursive: true, force: true });
  }
}

async function isOurs(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === process.getuid?.();
}

/**
 * Only what names its owner can be known to be abandoned; a folder that has just been made names nobody yet, and what
 * runs on another machine or in another container cannot be seen from here.
 */
async function isOwnerDead(folder: string): Promise<boolean> {
  const [owner, own] = await Promise.all([
    readFile(join(folder, OWNER_FILE), "utf8").catch(() => ""),
    processMark(process.pid),
  ]);
  const [pid = "", , ...place] = owner.split(" ");
  if (own === undefined || !/^\d+$/.test(pid) || place.join(" ") !== own.split(" ").slice(2).join(" ")) return false;
  return (await processMark(Number(pid))) !== owner;
}

/**
 * A process's number, when it started (in ticks since the machine did), and where: this boot of this machine and this
 * container. Undefined when there is none, or no /proc to ask.
 */
async function processMark(pid: number): Promise<string | undefined> {
  try {
    const [text, boot, namespace] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "utf8"),
      readFile("/proc/sys/kernel/random/boot_id", "utf8"),
      readlink("/proc/self/ns/pid"),
    ]);
    // proc(5): the name in parentheses may hold anything; the start is the 20th field after it.
    const start = text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
    return `${pid} ${start} ${boot.trim()} ${namespace}`;
  } catch {
    return undefined;
  }
}
