import { readdir, readFile, readlink } from "node:fs/promises";

const LISTENING = "0A";

/**
 * The process that listens on a TCP port of this machine: "node (pid 4711)". Undefined where /proc does not tell: on
 * other systems than Linux, and for processes of other users.
 */
export async function portOwner(port: number): Promise<string | undefined> {
  const tables = await Promise.all(["/proc/net/tcp", "/proc/net/tcp6"].map(readable));
  const inodes = new Set(tables.flatMap((table) => listeningInodes(table, port)));
  if (inodes.size === 0) return undefined;
  for (const pid of (await entries("/proc")).filter((name) => /^\d+$/.test(name))) {
    if (await holds(pid, inodes)) return `${(await readable(`/proc/${pid}/comm`)).trim()} (pid ${pid})`;
  }
  return undefined;
}

/** Socket inodes of a /proc/net/tcp table. https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.txt */
function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table.split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, local, , state] = fields;
    const inode = fields[9];
    return local?.endsWith(suffix) && state === LISTENING && inode !== undefined ? [inode] : [];
  });
}

async function holds(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const links = await Promise.all((await entries(folder)).map((fd) => readlink(`${folder}/${fd}`).catch(() => "")));
  return links.some((link) => inodes.has(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? ""));
}

async function entries(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

async function readable(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => "");
}
