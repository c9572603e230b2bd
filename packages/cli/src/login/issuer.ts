import { whyNoIssuer } from "@heddle/identity/oidc/issuer.ts";
import type { Configuration } from "openid-client";
import { CliError } from "../cli-error.ts";
import type { Cli } from "../cli.ts";
import { explainLogin } from "./explain-login.ts";

/** Where to log in, as whom, and whom tokens must be for: ID tokens when it is the client itself, else access tokens. */
export interface LoginPlace {
  readonly issuer: string;
  readonly clientId: string;
  readonly audience: string;
}

/** What the issuer says of itself, made ready for requests that end with Ctrl-C. Throws CliError. */
export async function askIssuer({ issuer, clientId }: LoginPlace, cli: Cli): Promise<Configuration> {
  const problem = whyNoIssuer(issuer);
  if (problem !== undefined) throw new CliError(`Cannot log in at "${issuer}": ${problem}`);
  const client = await import("openid-client");
  const url = new URL(issuer);
  const metadata = { [client.clockTolerance]: CLOCK_TOLERANCE_SECONDS };
  const config = await guardLogin(issuer, cli, async () =>
    client.discovery(url, clientId, metadata, client.None(), {
      // whyNoIssuer() lets plain HTTP pass for this machine alone.
      ...(url.protocol === "http:" ? { execute: [client.allowInsecureRequests] } : {}),
      timeout: TIMEOUT_SECONDS,
      [client.customFetch]: (target, { signal, ...options }) =>
        fetch(target, {
          ...options,
          signal: AbortSignal.any([cli.signal, ...(signal ? [signal] : [])]),
        } as RequestInit),
    }),
  );
  return config;
}

const CLOCK_TOLERANCE_SECONDS = 30;
const TIMEOUT_SECONDS = 15;

/** Does a part of a login and explains what goes wrong. */
export async function guardLogin<T>(issuer: string, cli: Cli, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cli.signal.aborted) throw cause;
    throw explainLogin(issuer, cause, cli.now());
  }
}

/** What is asked for: who it is, and to be asked again without the user. Only scopes that the issuer has. */
export function scopesOf(config: Configuration): string {
  const known = config.serverMetadata().scopes_supported ?? [];
  return ["openid", ...["profile", "email", "groups", "offline_access"].filter((scope) => known.includes(scope))].join(
    " ",
  );
}

/** What an issuer must be told for access tokens that are for another audience than the client: RFC 8707, and its elder. */
export function audienceOf({ audience, clientId }: LoginPlace): Readonly<Record<string, string>> {
  if (audience === clientId) return {};
  return URL.canParse(audience) ? { resource: audience } : { audience };
}
