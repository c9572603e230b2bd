import type { Terminal } from "./terminal.ts";

/** What every command gets: where it speaks, what surrounds it, and when to stop. */
export interface Cli {
  readonly terminal: Terminal;
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: NodeJS.ReadableStream;
  /** Ctrl-C or SIGTERM; a second one ends the process at once. */
  readonly signal: AbortSignal;
  /** The time, asked once where a command needs it. */
  readonly now: () => Date;
}
