import { type ChildProcess, spawn, spawnSync } from "node:child_process";

/** Processes of the demo: started together, and none of them left behind. */
export class Processes {
  readonly #children = new Map<string, ChildProcess>();
  readonly #onExit: (name: string, code: number | null) => void;
  #stopping = false;

  /** `onExit` hears of processes that end while nobody asked them to. */
  constructor(onExit: (name: string, code: number | null) => void) {
    this.#onExit = onExit;
  }

  /**
   * Starts Node on a file. What the process prints is dropped, unless `show` is given: then it gets each line. It is
   * told to stop when this process ends without doing so itself, where the system can do that (setpriv of util-linux).
   */
  start(
    name: string,
    args: readonly string[],
    { env, show }: { readonly env: Readonly<Record<string, string>>; readonly show?: (line: string) => void },
  ): ChildProcess {
    const [command = process.execPath, ...words] = [...stopWithParent(), process.execPath, ...args];
    const child = spawn(command, words, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      // A session of its own, because Ctrl-C reaches everybody in the terminal's: the demo decides the order of the end.
      detached: true,
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) =>
        text
          .split("\n")
          .filter(Boolean)
          .forEach((line) => show?.(line)),
      );
    }
    // A process that cannot be started gets no "exit".
    child.once("error", () => this.#ended(name, null));
    child.once("exit", (code) => this.#ended(name, code));
    this.#children.set(name, child);
    return child;
  }

  #ended(name: string, code: number | null): void {
    if (this.#children.delete(name) && !this.#stopping) this.#onExit(name, code);
  }

  /** Asks processes whose name begins so to stop; ends them if they have not after the patience. Milliseconds. */
  async stop(prefix: string, patience: number): Promise<void> {
    this.#stopping = true;
    const chosen = [...this.#children].filter(([name]) => name.startsWith(prefix)).map(([, child]) => child);
    await Promise.all(chosen.map((child) => stopChild(child, patience)));
  }
}

let prefix: readonly string[] | undefined;

/** What to put before a command so that it is sent SIGTERM when this process dies, even by kill -9. */
function stopWithParent(): readonly string[] {
  const words = ["setpriv", "--pdeathsig", "TERM"];
  prefix ??= spawnSync("setpriv", [...words.slice(1), "true"], { stdio: "ignore" }).status === 0 ? words : [];
  return prefix;
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
