import { readdir, readFile, readlink } from "node:fs/promises";

/** The process that holds a port. */
export interface PortOwner {
  readonly pid: number;
  readonly name: string;
}

const LISTENING = "0A";

/**
 * Who listens on a TCP port of this machine, from Linux's /proc; undefined: nobody, or it may not be seen (another
 * user's process, another system). https://docs.kernel.org/networking/proc_net_tcp.html
 */
export async function portOwner(port: number): Promise<PortOwner | undefined> {
  const tables = await Promise.all(["/proc/net/tcp", "/proc/net/tcp6"].map(readOrEmpty));
  const inodes = new Set(tables.flatMap((table) => listeningInodes(table, port)));
  if (inodes.size === 0) return undefined;
  for (const entry of await readdir("/proc").catch(() => [])) {
    if (/^\d+$/.test(entry) && (await holdsOneOf(entry, inodes))) {
      return { pid: Number(entry), name: (await readOrEmpty(`/proc/${entry}/comm`)).trim() };
    }
  }
  return undefined;
}

/** Inodes of the sockets that listen on a port, in a table as /proc/net/tcp gives it. */
export function listeningInodes(table: string, port: number): readonly string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(suffix) && state === LISTENING)
    .flatMap((fields) => (fields[9] === undefined ? [] : [fields[9]]));
}

async function holdsOneOf(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const descriptors = await readdir(folder).catch(() => []);
  for (const descriptor of descriptors) {
    const target = await readlink(`${folder}/${descriptor}`).catch(() => "");
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}

function readOrEmpty(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
