import { type ChildProcess, spawn } from "node:child_process";

/** Processes of the demo: started together, and none of them left behind. */
export class Processes {
  readonly #children = new Map<string, ChildProcess>();
  readonly #onExit: (name: string, code: number | null) => void;
  #stopping = false;

  /** `onExit` hears of processes that end while nobody asked them to. */
  constructor(onExit: (name: string, code: number | null) => void) {
    this.#onExit = onExit;
  }

  /** Starts Node on a file. What the process prints is dropped, unless `show` is given: then it gets each line. */
  start(
    name: string,
    args: readonly string[],
    { env, show }: { readonly env: Readonly<Record<string, string>>; readonly show?: (line: string) => void },
  ): ChildProcess {
    const child = spawn(process.execPath, [...args], {
      env: { ...process.env, ...env },
      // The channel tells a child that its parent is gone, however that happened.
      stdio: ["ignore", "pipe", "pipe", ...(show === undefined ? (["ipc"] as const) : [])],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) =>
        text
          .split("\n")
          .filter(Boolean)
          .forEach((line) => show?.(line)),
      );
    }
    child.once("exit", (code) => {
      this.#children.delete(name);
      if (!this.#stopping) this.#onExit(name, code);
    });
    this.#children.set(name, child);
    return child;
  }

  /** Asks processes whose name begins so to stop; ends them if they have not after the patience. Milliseconds. */
  async stop(prefix: string, patience: number): Promise<void> {
    this.#stopping = true;
    const chosen = [...this.#children].filter(([name]) => name.startsWith(prefix)).map(([, child]) => child);
    await Promise.all(chosen.map((child) => stopChild(child, patience)));
  }
}

async function stopChild(child: ChildProcess, patience: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once("exit", () => resolve());
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), patience);
  await promise;
  clearTimeout(late);
}
