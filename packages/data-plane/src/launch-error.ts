export type LaunchErrorCode =
  | "options"
  | "dataplane"
  | "token"
  | "no_envoy"
  | "port_in_use"
  | "work_dir"
  | "untrusted"
  | "unreachable"
  | "refused";

/** What a user reads beside the sentence. */
export interface LaunchAdvice {
  /** Facts behind the sentence, one a line. */
  readonly details?: readonly string[];
  /** What to type or change next, one a line. */
  readonly next?: readonly string[];
  readonly cause?: unknown;
}

/** A sidecar could not be started. The message reads `Cannot <action> "<thing>": <state>`; `next` says what to do. */
export class LaunchError extends Error {
  override readonly name = "LaunchError";
  readonly code: LaunchErrorCode;
  readonly details: readonly string[];
  readonly next: readonly string[];

  constructor(code: LaunchErrorCode, message: string, advice: LaunchAdvice = {}) {
    super(message, advice.cause === undefined ? undefined : { cause: advice.cause });
    this.code = code;
    this.details = advice.details ?? [];
    this.next = advice.next ?? [];
  }
}
