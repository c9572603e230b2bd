import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findEnvoy } from "@heddle/envoy/find-envoy.ts";
import type { Cleanup } from "../support/cleanup.ts";

const PATIENCE = 10_000;

/** What an Envoy is to run with; valgrind's options where it is to run under it, which is a lot slower. */
export interface EnvoyStart {
  readonly name: string;
  readonly port: number;
  readonly config: object;
  readonly valgrind?: readonly string[];
}

/** Starts an Envoy with one worker on a configuration of its own; resolves with its process id when its port is open. */
export async function startEnvoy(
  cleanup: Cleanup,
  folder: string,
  { name, port, config, valgrind }: EnvoyStart,
): Promise<number> {
  const { path } = await findEnvoy();
  const file = join(folder, `${name}.json`);
  await writeFile(file, JSON.stringify(config));
  const args = ["-c", file, "--concurrency", "1", "--disable-hot-restart", "-l", "error"];
  const child =
    valgrind === undefined
      ? spawn(path, args, { stdio: ["ignore", "inherit", "inherit"] })
      : spawn("valgrind", [...valgrind, path, ...args], { stdio: "ignore" });
  cleanup.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  });
  const end = performance.now() + PATIENCE * (valgrind === undefined ? 1 : 20);
  while (!(await isOpen(port))) {
    if (performance.now() > end || child.exitCode !== null)
      throw new Error(`Cannot start the Envoy "${name}": its port ${port} does not open`);
    await sleep(20);
  }
  return child.pid ?? 0;
}

async function isOpen(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host: "127.0.0.1", port });
  socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  const open = await promise;
  socket.destroy();
  return open;
}
