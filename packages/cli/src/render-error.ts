import { list } from "./json.ts";
import type { Paint } from "./output/paint.ts";

/** An error for people: what failed, the facts behind it, what to type next. The stack only where it was asked for. */
export function renderError(error: unknown, paint: Paint, debug = false): string {
  const message = error instanceof Error ? error.message : String(error);
  const { details, next } = explanationOf(error);
  return [
    `${paint("red", "heddle:")} ${message}`,
    ...indented(details.flatMap((detail) => detail.split("\n"))),
    ...indented(next.map((step) => `${paint("cyan", "->")} ${step}`)),
    ...(debug && error instanceof Error ? [paint("dim", stackOf(error))] : []),
  ].join("\n");
}

const UNEXPECTED = ["This should not happen. Run the command again with --log-level debug to see where it comes from"];

// By shape, not by class: errors of the control plane and the data plane explain themselves in the same way.
function explanationOf(error: unknown): { readonly details: readonly string[]; readonly next: readonly string[] } {
  if (!(error instanceof Error) || !("next" in error)) {
    // "Cannot ..." was written for a user; anything else is a mistake of ours.
    const isExpected = error instanceof Error && error.message.startsWith("Cannot ");
    return { details: [], next: isExpected ? [] : UNEXPECTED };
  }
  return { details: list("details" in error ? error.details : []).map(String), next: list(error.next).map(String) };
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}

function stackOf(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\ncaused by ${stackOf(error.cause)}` : own;
}
