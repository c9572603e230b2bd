import type { TokenEndpointResponse, TokenEndpointResponseHelpers } from "openid-client";
import { CliError } from "../cli-error.ts";
import type { Cli } from "../cli.ts";
import { elapsed } from "../output/age.ts";
import type { Login } from "../profiles/profile.ts";
import { listenForCallback } from "./callback.ts";
import { askIssuer, audienceOf, guardLogin, type LoginPlace, scopesOf } from "./issuer.ts";

export interface LogInOptions {
  readonly cli: Cli;
  /** Opens an address for the user; absent when they do it. */
  readonly open?: ((url: string) => Promise<void>) | undefined;
  /** Port of the loopback that the browser comes back to; 0 for any. */
  readonly port: number;
  readonly timeoutMillis: number;
}

/** A token for the control plane, and how to get the next one. */
export interface Session {
  readonly token: string;
  readonly login: Login;
}

type Tokens = TokenEndpointResponse & TokenEndpointResponseHelpers;

/** Authorization code with PKCE: the user logs in with a browser on this machine. Throws CliError. */
export async function logInByBrowser(place: LoginPlace, options: LogInOptions): Promise<Session> {
  const { cli, open, port, timeoutMillis } = options;
  const client = await import("openid-client");
  const config = await askIssuer(place, cli);
  await using callback = await listenForCallback(port);
  const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: callback.url,
    scope: scopesOf(config),
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
    // Issuers give refresh tokens to programs such as this one only when somebody agrees.
    prompt: "consent",
    ...audienceOf(place),
  });
  cli.terminal.note(`Log in with a browser: ${url.href}`);
  const arrival = callback.arrival(state, patience(cli, timeoutMillis));
  await open?.(url.href);
  const arrived = await arrival.catch((cause: unknown) => {
    throw cli.signal.aborted ? cause : tooLate(place, timeoutMillis);
  });
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
  const tokens = await guardLogin(place.issuer, cli, () =>
    client.authorizationCodeGrant(config, arrived, checks, audienceOf(place)),
  );
  return sessionOf(place, tokens, cli.now());
}

/** Device code: the user logs in with a browser anywhere and types a code there. Throws CliError. */
export async function logInByDevice(place: LoginPlace, { cli, timeoutMillis }: LogInOptions): Promise<Session> {
  const client = await import("openid-client");
  const config = await askIssuer(place, cli);
  if (config.serverMetadata().device_authorization_endpoint === undefined)
    throw new CliError(`Cannot log in at ${place.issuer}: it has no device codes`, {
      next: ["Log in with a browser on this machine: heddle auth login"],
    });
  const asked = await guardLogin(place.issuer, cli, () =>
    client.initiateDeviceAuthorization(config, { scope: scopesOf(config), prompt: "consent", ...audienceOf(place) }),
  );
  cli.terminal.note(`Log in with a browser at ${asked.verification_uri} and enter the code ${asked.user_code}`);
  if (asked.verification_uri_complete !== undefined) cli.terminal.note(`or open ${asked.verification_uri_complete}`);
  const signal = patience(cli, timeoutMillis);
  const granted = guardLogin(place.issuer, cli, async () => {
    try {
      return await client.pollDeviceAuthorizationGrant(config, asked, audienceOf(place), { signal });
    } catch (cause) {
      throw signal.aborted && !cli.signal.aborted ? tooLate(place, timeoutMillis) : cause;
    }
  });
  return sessionOf(place, await granted, cli.now());
}

/** The next token, without the user. Throws CliError when only they can go on. */
export async function refresh(login: Login, cli: Cli): Promise<Session> {
  const { refreshToken } = login;
  if (refreshToken === undefined)
    throw new CliError(`Cannot go on: the login at ${login.issuer} is over`, {
      next: ["Log in again: heddle auth login"],
    });
  const client = await import("openid-client");
  const config = await askIssuer(login, cli);
  const tokens = await guardLogin(login.issuer, cli, () =>
    client.refreshTokenGrant(config, refreshToken, audienceOf(login)),
  );
  const session = sessionOf(login, tokens, cli.now());
  // An issuer that does not rotate refresh tokens says nothing of the one that goes on.
  return { ...session, login: { refreshToken, ...session.login } };
}

/** Has the issuer forget the refresh token; false when it has no way to be told. */
export async function revoke(login: Login, cli: Cli): Promise<boolean> {
  const { refreshToken } = login;
  const config = await askIssuer(login, cli);
  if (refreshToken === undefined || config.serverMetadata().revocation_endpoint === undefined) return false;
  const { tokenRevocation } = await import("openid-client");
  await guardLogin(login.issuer, cli, () =>
    tokenRevocation(config, refreshToken, { token_type_hint: "refresh_token" }),
  );
  return true;
}

function sessionOf({ issuer, clientId, audience }: LoginPlace, tokens: Tokens, now: Date): Session {
  const isIdToken = audience === clientId;
  const token = isIdToken ? tokens.id_token : tokens.access_token;
  if (token === undefined)
    throw new CliError(`Cannot log in at ${issuer}: it gave no ID token`, {
      next: ["Log in again: heddle auth login"],
    });
  const seconds = isIdToken ? tokens.claims()?.exp : now.getTime() / 1_000 + (tokens.expires_in ?? 0);
  const expiresAt = new Date((seconds ?? 0) * 1_000).toISOString();
  const { refresh_token: refreshToken } = tokens;
  return {
    token,
    login: { issuer, clientId, audience, expiresAt, ...(refreshToken === undefined ? {} : { refreshToken }) },
  };
}

function patience(cli: Cli, timeoutMillis: number): AbortSignal {
  return AbortSignal.any([cli.signal, AbortSignal.timeout(timeoutMillis)]);
}

function tooLate({ issuer }: LoginPlace, timeoutMillis: number): CliError {
  return new CliError(`Cannot log in at ${issuer}: nobody finished the login within ${elapsed(timeoutMillis)}`, {
    next: ["Try again: heddle auth login; on a machine without browser: heddle auth login --device"],
  });
}
