import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";

/** What a process listens on: "127.0.0.1:5681", "[::]:5678", or the path of a unix socket. */
export type Listener = string;

/** Every TCP port and unix socket on which a process or one that it started listens. Linux only. */
export async function listenersOf(pid: number): Promise<readonly Listener[]> {
  const pids = await withChildren(pid);
  const inodes = new Set((await Promise.all(pids.map(socketInodes))).flat());
  const open = await Promise.all([tcp("tcp"), tcp("tcp6"), unix()]);
  const found = open.flat().flatMap(({ inode, listener }) => (inodes.has(inode) ? [listener] : []));
  return [...new Set(found)].toSorted();
}

async function withChildren(root: number): Promise<readonly number[]> {
  const all = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = new Map(await Promise.all(all.map(async (pid) => [pid, await parentOf(pid)] as const)));
  const family = new Set([root]);
  // A child may have a smaller number than its parent.
  for (let size = 0; size < family.size;) {
    size = family.size;
    for (const [pid, parent] of parents) if (family.has(parent)) family.add(pid);
  }
  return [...family];
}

async function parentOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
}

async function socketInodes(pid: number): Promise<readonly string[]> {
  const folder = `/proc/${pid}/fd`;
  const links = await readdir(folder).catch(() => []);
  const targets = await Promise.all(links.map((name) => readlink(join(folder, name)).catch(() => "")));
  return targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []);
}

interface Open {
  readonly inode: string;
  readonly listener: Listener;
}

const LISTEN = "0A";

async function tcp(table: "tcp" | "tcp6"): Promise<readonly Open[]> {
  const text = await readFile(`/proc/net/${table}`, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
    return state === LISTEN ? [{ inode, listener: readable(local) }] : [];
  });
}

/** The kernel writes addresses as 32-bit numbers in the machine's order, in hexadecimal. */
function readable(local: string): string {
  const [address = "", port = ""] = local.split(":");
  const bytes = (address.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).toReversed());
  const name = bytes.length === 4 ? bytes.map((byte) => Number.parseInt(byte, 16)).join(".") : `[${groups(bytes)}]`;
  return `${name}:${Number.parseInt(port, 16)}`;
}

function groups(bytes: readonly string[]): string {
  const text = bytes.join("").match(/.{4}/g) ?? [];
  const all = text.map((group) => Number.parseInt(group, 16).toString(16)).join(":");
  return all.replace(/^(0:){7}/, "::").replace("::0", "::");
}

async function unix(): Promise<readonly Open[]> {
  const text = await readFile("/proc/net/unix", "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    const [, , , flags, , , inode = "", path = "(unnamed)"] = line.trim().split(/\s+/);
    // The flag that the kernel calls __SO_ACCEPTCON.
    return flags === "00010000" ? [{ inode, listener: path }] : [];
  });
}
