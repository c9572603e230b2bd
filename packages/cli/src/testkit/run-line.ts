import { Readable } from "node:stream";
import type { Cli } from "../cli.ts";
import { plain } from "../output/paint.ts";
import { EXIT, runLine } from "../run-line.ts";
import type { Outcome } from "./run-heddle.ts";

export interface LineOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

/** Runs a command line in this process, without a terminal: for what needs no streams, signals or exit of its own. */
export async function runHere(words: readonly string[], { env = {}, stdin = "" }: LineOptions = {}): Promise<Outcome> {
  const seen = { stdout: "", stderr: "" };
  const cli: Cli = {
    terminal: {
      print: (text) => void (text !== "" && (seen.stdout += `${text}\n`)),
      printValue: (text) => void (seen.stdout += text),
      note: (text) => void (seen.stderr += `${text}\n`),
      paint: plain,
      paintNote: plain,
      width: undefined,
      isInteractive: false,
      spinner: () => ({ update: () => {}, stop: () => {} }),
      ask: () => Promise.reject(new Error("nobody is there to answer")),
    },
    // A home of its own: a developer's profiles are no part of a test.
    env: { PATH: process.env["PATH"], HOME: "/nonexistent", ...env },
    stdin: Readable.from([stdin]),
    signal: new AbortController().signal,
    now: () => new Date(),
  };
  const code = (await runLine(words, cli)) ?? EXIT.done;
  return { code, ...seen };
}
