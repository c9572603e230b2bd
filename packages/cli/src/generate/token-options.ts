import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import type { TokenKind, ClaimsByKind } from "@heddle/identity/token-kind.ts";
import { CliError, UsageError } from "../cli-error.ts";
import type { Cli } from "../cli.ts";
import { durationFlag } from "../global-options.ts";

/** The flags with which a token is signed here instead of by a control plane. */
export interface OfflineFlags {
  readonly kid?: string | undefined;
  readonly signingKeyPath?: string | undefined;
}

/** Whether to sign here: with both flags; one alone is a mistake. */
export function isOffline({ kid, signingKeyPath }: OfflineFlags): boolean {
  if ((kid === undefined) === (signingKeyPath === undefined)) return kid !== undefined;
  throw new UsageError("Cannot sign a token here with half of what it takes: give both --kid and --signing-key-path", {
    next: ["Without both, the control plane signs it"],
  });
}

/** Signs a token here. The control plane accepts it once it has the public key under the same kid. */
export async function signOffline<Kind extends TokenKind>(
  kind: Kind,
  claims: ClaimsByKind[Kind],
  flags: OfflineFlags & { readonly validFor: string },
  cli: Cli,
): Promise<string> {
  const [{ issueToken }, { readSigningKey }] = await Promise.all([
    import("@heddle/identity/issue-token.ts"),
    import("@heddle/identity/signing-key.ts"),
  ]);
  const path = flags.signingKeyPath ?? "";
  const key = readSigningKey(await readKey(path, cli), "--signing-key-path");
  if (!key.ok)
    throw new CliError(`Cannot sign with "${path}": ${key.violations.map(({ message }) => message).join(", ")}`);
  const seconds = Math.floor(validForMillis(flags.validFor) / 1_000);
  return issueToken(
    kind,
    claims,
    { kid: flags.kid ?? "", key: key.value },
    { validForSeconds: seconds, now: cli.now() },
  );
}

/** Reads --valid-for in milliseconds; a token that has ended before it starts is a mistake. */
export function validForMillis(raw: string): number {
  const millis = durationFlag("--valid-for", raw);
  if (millis >= 1_000) return millis;
  throw new UsageError(`Cannot make a token for --valid-for "${raw}": it must be at least 1s`);
}

/** The content of a key file; "-" is standard input. */
export async function readKey(path: string, cli: Cli): Promise<string> {
  if (path === "-") return readAll(cli.stdin);
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new CliError(`Cannot read the key "${path}": ${(cause as Error).message}`, {
      next: ["Make one: heddle generate signing-key > key.pem"],
      cause,
    });
  }
}
