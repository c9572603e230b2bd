import { execFile } from "node:child_process";
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { eventually } from "../../test/support/eventually.ts";
import { Cleanup } from "../support/cleanup.ts";
import { startEnvoy } from "./envoy.ts";
import { inTurn } from "./load.ts";

/** One of the two Envoys of a pair. */
export type Side = "client" | "server";

/** Two configurations that belong together, and the port under which the client's takes requests. */
export interface PairConfig {
  readonly client: object;
  readonly server: object;
  readonly clientPort: number;
  readonly serverPort: number;
}

const run = promisify(execFile);

// Connections are made and counters come into being before anything is counted.
const BEFORE = 300;
const COUNTED = 2_000;

/** Whether valgrind is there, which counts. */
export async function hasValgrind(): Promise<boolean> {
  return await run("valgrind", ["--version"]).then(
    () => true,
    () => false,
  );
}

/**
 * Instructions that one side of a pair runs for a request outside the kernel, counted by valgrind, requests one after the
 * other. Unlike time they are nearly the same in every run (to some 0.2%), whatever else the machine does.
 */
export async function instructionsPerRequest(
  cleanup: Cleanup,
  folder: string,
  { name, side, pair }: { readonly name: string; readonly side: Side; readonly pair: PairConfig },
): Promise<number> {
  await using own = new Cleanup();
  // Whoever counts something else at the same time may fail first.
  cleanup.after(() => own[Symbol.asyncDispose]());
  const counts = join(folder, `${name}-${side}.counts`);
  const valgrind = [
    "--tool=callgrind",
    "--instr-atstart=no",
    "--separate-threads=yes",
    `--callgrind-out-file=${counts}`,
  ];
  const start = (which: Side, port: number): Promise<number> =>
    startEnvoy(own, folder, {
      name: `${name}-${side}-${which}`,
      port,
      config: pair[which],
      ...(which === side ? { valgrind } : {}),
    });
  const server = await start("server", pair.serverPort);
  const client = await start("client", pair.clientPort);
  const pid = side === "server" ? server : client;
  const url = `http://127.0.0.1:${pair.clientPort}/`;
  // A first handshake under valgrind may take longer than the other side waits for it.
  await eventually(() => inTurn(url, 1), 60_000);
  await run("callgrind_control", ["-i", "on", String(pid)]);
  await inTurn(url, BEFORE);
  await run("callgrind_control", ["-z", String(pid)]);
  await inTurn(url, COUNTED);
  await run("callgrind_control", ["-d", String(pid)]);
  return (await eventually(() => busiestThread(counts))) / COUNTED;
}

/** The sum of the thread that serves requests: what Envoy does beside them takes more, the longer they take. */
async function busiestThread(counts: string): Promise<number> {
  const files = await Array.fromAsync(glob(`${counts}.1-*`));
  const sums = await Promise.all(
    files.map(async (file) => Number(/^totals: (\d+)/m.exec(await readFile(file, "utf8"))?.[1])),
  );
  const most = Math.max(...sums);
  // A file is there before its last line, and without that there is no number.
  if (!(most > 0)) throw new Error(`Cannot count instructions: valgrind wrote no sum into ${counts}.1-*`);
  return most;
}
