/** What a user reads when a command fails, beside the sentence itself. */
export interface Explanation {
  /** Facts behind the sentence, one a line: the fields that are wrong, Envoy's words, an excerpt of a file. */
  readonly details?: readonly string[];
  /** What to type or do next, one a line. */
  readonly next?: readonly string[];
  readonly cause?: unknown;
}

/** The thing that was asked for failed (exit code 1). The message reads `Cannot <action> "<thing>": <state>`. */
export class CliError extends Error {
  override readonly name: string = "CliError";
  readonly details: readonly string[];
  readonly next: readonly string[];

  constructor(message: string, explanation: Explanation = {}) {
    super(message, explanation.cause === undefined ? undefined : { cause: explanation.cause });
    this.details = explanation.details ?? [];
    this.next = explanation.next ?? [];
  }
}

/** The command was written wrongly (exit code 2): an unknown type, a flag that does not fit. */
export class UsageError extends CliError {
  override readonly name = "UsageError";
}

/** The command has said already what failed; only the exit code (1) is left to be set. */
export class AlreadyReported extends Error {
  override readonly name = "AlreadyReported";
}

/** The user stopped the command (exit code 130); the message says in which state things are. */
export class Interrupted extends CliError {
  override readonly name = "Interrupted";
}
