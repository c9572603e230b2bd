import { terminalText } from "@heddle/model/terminal-text.ts";
import { paintFor, type ColorMode, type Paint } from "./output/paint.ts";
import { spinnerOn, type Spinner } from "./output/spinner.ts";

/** Where a command speaks: data to standard output, everything else to standard error. */
export interface Terminal {
  /** Writes a result to standard output and ends the line; nothing for an empty text. */
  readonly print: (text: string) => void;
  /** Writes a value that others read from a file, such as a token: a line end follows on a terminal only. */
  readonly printValue: (text: string) => void;
  /** Writes a message to standard error and ends the line. */
  readonly note: (text: string) => void;
  readonly paint: Paint;
  readonly paintNote: Paint;
  /** Characters in a line, when standard output is a terminal. */
  readonly width: number | undefined;
  /** Whether somebody is there to answer a question. */
  readonly isInteractive: boolean;
  /** A line that changes in place; silent where standard error is no terminal. */
  readonly spinner: (text: string) => Spinner;
  /** Asks on standard error and reads one line from standard input. */
  readonly ask: (question: string, signal: AbortSignal) => Promise<string>;
}

export interface Streams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/**
 * The terminal over the streams of the process. What proxies and others say passes through here to the user, so nothing
 * but text and Heddle's own colours gets to a terminal; files and pipes get data as it is.
 */
export function terminalOver(streams: Streams, mode: ColorMode, env: NodeJS.ProcessEnv): Terminal {
  const { stdin, stdout, stderr } = streams;
  return {
    print: (text) => void (text !== "" && stdout.write(`${stdout.isTTY ? terminalText(text) : text}\n`)),
    printValue: (text) => void stdout.write(stdout.isTTY ? `${terminalText(text)}\n` : text),
    note: (text) => void stderr.write(`${terminalText(text)}\n`),
    paint: paintFor(mode, stdout, env),
    paintNote: paintFor(mode, stderr, env),
    width: stdout.isTTY ? stdout.columns : undefined,
    isInteractive: stdin.isTTY && stderr.isTTY,
    spinner: (text) => {
      const { update, stop } = spinnerOn(stderr, terminalText(text), env);
      return { update: (next) => update(terminalText(next)), stop };
    },
    ask: async (question, signal) => {
      const { createInterface } = await import("node:readline/promises");
      // Not as a terminal: readline would take Ctrl-C for itself.
      const lines = createInterface({ input: stdin, output: stderr, terminal: false });
      try {
        // Ctrl-D closes the input, which is an empty answer.
        const closed = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
        return await Promise.race([lines.question(question, { signal }), closed]);
      } finally {
        lines.close();
      }
    },
  };
}
