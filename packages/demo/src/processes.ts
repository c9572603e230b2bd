import { type ChildProcess, spawn, spawnSync } from "node:child_process";

/** Hears of a process that ended while nobody asked it to, and of what it said last. */
type OnExit = (name: string, code: number | null, lastWords: string) => void;

const REMEMBERED_CHARACTERS = 2_000;

/** Processes of the demo: started together, and none of them left behind. */
export class Processes {
  readonly #children = new Map<string, ChildProcess>();
  readonly #onExit: OnExit;
  #stopping = false;

  constructor(onExit: OnExit) {
    this.#onExit = onExit;
  }

  /**
   * Starts Node on a file; only the end of what it prints is kept. It is told to stop when this process ends without
   * doing so itself, where the system can do that (setpriv of util-linux).
   */
  start(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    const [command = process.execPath, ...words] = [...stopWithParent(), process.execPath, ...args];
    const child = spawn(command, words, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      // A session of its own, because Ctrl-C reaches everybody in the terminal's: the demo decides the order of the end.
      detached: true,
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-REMEMBERED_CHARACTERS)));
    // A process that cannot be started gets no "exit"; "close" comes when its last words have been read.
    child.once("error", (error) => this.#ended(name, null, error.message));
    child.once("close", (code) => this.#ended(name, code, said.trim()));
    this.#children.set(name, child);
    return child;
  }

  #ended(name: string, code: number | null, lastWords: string): void {
    if (this.#children.delete(name) && !this.#stopping) this.#onExit(name, code, lastWords);
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
