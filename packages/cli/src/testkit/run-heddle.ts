import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const MAIN = join(import.meta.dirname, "../main.ts");
const LONGEST_MILLIS = 60_000;

/** What a run left behind. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly cwd?: string;
  /** Called with the output so far, to stop the command in the middle: true sends Ctrl-C. */
  readonly stopWhen?: (stderr: string, stdout: string) => boolean;
}

/** Runs the command as its own process, away from the user's configuration. */
export async function runHeddle(words: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [MAIN, ...words], {
    cwd: options.cwd,
    env: environment(options.env),
    stdio: "pipe",
    timeout: LONGEST_MILLIS,
  });
  child.stdin.end(options.stdin ?? "");
  const seen = { stdout: "", stderr: "" };
  let isStopped = false;
  for (const name of ["stdout", "stderr"] as const) {
    child[name].on("data", (chunk: Buffer) => {
      seen[name] += chunk.toString("utf8");
      if (isStopped || !options.stopWhen?.(seen.stderr, seen.stdout)) return;
      isStopped = true;
      child.kill("SIGINT");
    });
  }
  const [code, stdout, stderr] = await Promise.all([
    new Promise<number | null>((resolve) => child.on("close", resolve)),
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, stdout, stderr };
}

/** Runs the command in a terminal (util-linux `script` makes one); both outputs come as one text, its lines ended by \n. */
export async function runInTerminal(
  words: readonly string[],
  options: RunOptions = {},
): Promise<{ readonly code: number | null; readonly output: string }> {
  const line = [process.execPath, MAIN, ...words]
    .map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`)
    .join(" ");
  const child = spawn("script", ["--quiet", "--return", "--command", `stty cols 100; exec ${line}`, "/dev/null"], {
    env: { ...environment(options.env), TERM: "xterm", SHELL: "/bin/sh" },
    stdio: "pipe",
    timeout: LONGEST_MILLIS,
  });
  child.stdin.write(options.stdin ?? "");
  const [code, output] = await Promise.all([
    new Promise<number | null>((resolve) => child.on("close", resolve)),
    text(child.stdout),
  ]);
  return { code, output: output.replaceAll("\r\n", "\n") };
}

/** A folder with files in it, gone at the end of the test. */
export async function folderWith(
  files: Readonly<Record<string, string>>,
): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "heddle-cli-"));
  await Promise.all(Object.entries(files).map(([name, content]) => writeFile(join(path, name), content)));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

function environment(own: RunOptions["env"] = {}): Record<string, string> {
  const { PATH = "", HOME: _home, ...rest } = process.env;
  const passed = Object.entries(rest).filter(([key]) => key.startsWith("NODE_") && key !== "NODE_TEST_CONTEXT");
  return {
    ...(Object.fromEntries(passed) as Record<string, string>),
    PATH,
    HOME: "/nonexistent",
    LANG: "C.UTF-8",
    ...own,
  };
}
