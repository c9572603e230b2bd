import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { OPA_SOCKET } from "@heddle/model/opa-agent.ts";
import { TOKEN_SECRET } from "@heddle/model/token-secret.ts";
import { adminClient } from "../envoy/admin-client.ts";
import { LaunchError } from "../launch-error.ts";

/** Where a running proxy keeps its sockets and files. */
export interface WorkDir {
  readonly path: string;
  /** Removed as a whole at the end; a folder that the user gave keeps what is not ours. */
  readonly temporary: boolean;
}

/** Everything that is ever written there. */
export const FILES = {
  bootstrap: "bootstrap.yaml",
  plan: "plan.json",
  shell: "supervise.env",
  token: "token",
  tokenSecret: TOKEN_SECRET.file,
  adminSocket: "kuma-envoy-admin.sock",
  opaSocket: OPA_SOCKET,
} as const;

/** Bytes in `sockaddr_un.sun_path` on Linux, less the closing zero. */
const MAX_SOCKET_PATH = 107;

/** Makes or takes the work directory. Throws LaunchError "work_dir". */
export async function openWorkDir(given: string | undefined): Promise<WorkDir> {
  const workDir = given === undefined ? await temporary() : await existing(resolve(given));
  const socket = join(workDir.path, FILES.adminSocket);
  if (Buffer.byteLength(socket) > MAX_SOCKET_PATH) {
    await removeWorkDir(workDir);
    throw unusable(
      workDir.path,
      `its path is too long for the socket "${FILES.adminSocket}" (at most ${MAX_SOCKET_PATH - FILES.adminSocket.length - 1} bytes)`,
    );
  }
  return workDir;
}

/** Removes what was written, and the folder itself when it was temporary. Never fails: there is nobody left to tell. */
export async function removeWorkDir({ path, temporary: whole }: WorkDir): Promise<void> {
  const pipes = whole
    ? []
    : (await readdir(path).catch(() => [])).filter((name) => /^kuma-(al|mm)-.*\.sock$/.test(name));
  const targets = whole ? [path] : [...Object.values(FILES), ...pipes].map((name) => join(path, name));
  await Promise.all(targets.map((target) => rm(target, { recursive: whole, force: true }).catch(() => undefined)));
}

/** Writes a file that only this user may read (it may hold the token), whole or not at all. Gives its path. */
export async function writePrivate(workDir: WorkDir, name: string, content: string): Promise<string> {
  const path = join(workDir.path, name);
  // Beside it first: an Envoy that starts at this moment reads the old file or the new one. Removed before it is
  // written, because the mode of a file that exists would stay.
  const beside = `${path}.new`;
  await rm(beside, { force: true });
  await writeFile(beside, content, { mode: 0o600 });
  await rename(beside, path);
  return path;
}

async function temporary(): Promise<WorkDir> {
  const path = await mkdtemp(join(tmpdir(), "heddle-dp-"));
  // Others may reach the sockets in it (each has its own mode) and cannot list it.
  await chmod(path, 0o711);
  return { path, temporary: true };
}

async function existing(path: string): Promise<WorkDir> {
  await mkdir(path, { recursive: true, mode: 0o711 }).catch((cause: Error) => {
    throw unusable(path, cause.message);
  });
  if (await isTaken(path)) throw unusable(path, "another proxy works there");
  await writeFile(join(path, FILES.plan), "", { mode: 0o600 }).catch((cause: Error) => {
    throw unusable(path, cause.message);
  });
  return { path, temporary: false };
}

function isTaken(path: string): Promise<boolean> {
  const admin = adminClient({ kind: "socket", path: join(path, FILES.adminSocket) });
  return admin.get("/ready").then(
    () => true,
    () => false,
  );
}

function unusable(path: string, state: string): LaunchError {
  return new LaunchError("work_dir", `Cannot use work directory "${path}": ${state}`, {
    next: ["Choose another one with --work-dir, or leave it away for a temporary one"],
  });
}
