import { CliError } from "../cli-error.ts";

const AGAIN = "Try again: heddle auth login";

/** The error for a login that came to nothing. It never holds what the issuer sent beside its words, as that may be secret. */
export function explainLogin(issuer: string, cause: unknown, now: Date): CliError {
  if (cause instanceof CliError) return cause;
  const { state, next } = describe(cause, issuer, now);
  return new CliError(`Cannot log in at ${issuer}: ${state}`, { next });
}

interface Problem {
  readonly state: string;
  readonly next: readonly string[];
}

function describe(cause: unknown, issuer: string, now: Date): Problem {
  const { code = "", error, error_description: words, message, cause: inner } = cause as Failure;
  if (error !== undefined) return refusal(error, words);
  const network = inner?.code ?? "";
  if (message === "fetch failed" || code === "OAUTH_TIMEOUT" || code === "OAUTH_ABORT")
    return {
      state: `it cannot be reached, ${network || inner?.message || "no answer"}`,
      next: [
        "See whether it answers from here; HTTPS_PROXY with NODE_USE_ENV_PROXY=1 names a proxy, NODE_EXTRA_CA_CERTS an authority",
      ],
    };
  if (code === "OAUTH_JWT_TIMESTAMP_CHECK_FAILED")
    return {
      state: "its token is over, or not valid yet, by the clock of this machine",
      next: [`Here it is ${now.toISOString()}: set the clock, or have the issuer's set`],
    };
  if (code === "OAUTH_JWT_CLAIM_COMPARISON_FAILED" || code === "OAUTH_INVALID_RESPONSE")
    return { state: "what came back does not belong to this login", next: [AGAIN] };
  return {
    state: "it does not answer as an OpenID Connect issuer does",
    next: [`Compare the address with ${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`],
  };
}

interface Failure {
  readonly code?: string;
  /** The issuer's word, of RFC 6749 and RFC 8628. */
  readonly error?: string;
  readonly error_description?: string;
  readonly message?: string;
  readonly cause?: { readonly code?: string; readonly message?: string };
}

function refusal(error: string, words = ""): Problem {
  const known = REFUSALS[error];
  const said = words === "" ? error : `${error}, ${words.slice(0, 300)}`;
  return { state: known?.state ?? `it refuses (${said})`, next: known?.next ?? [] };
}

const REFUSALS: Readonly<Record<string, Problem>> = {
  access_denied: { state: "access was denied there", next: [AGAIN] },
  expired_token: { state: "nobody entered the code in time", next: [AGAIN] },
  invalid_client: {
    state: "it does not know this client, or wants a secret from it",
    next: ["The client must be a public one; see which it is: GET /auth/config of the control plane"],
  },
  invalid_grant: { state: "the login is over or was taken back", next: [AGAIN] },
};
