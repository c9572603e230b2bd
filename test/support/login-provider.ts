import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { type Configuration, Provider } from "oidc-provider";

export const CLIENT_ID = "heddle";
/** An audience for access tokens. */
export const RESOURCE = "https://mesh.example.com/api";

/** Somebody with an account: the login name is `sub`. */
export type Accounts = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface LoginProvider extends AsyncDisposable {
  readonly issuer: string;
  /** Requests by path, in order. */
  readonly requests: readonly string[];
  /** A token that the provider itself never issued, signed with its own key. */
  sign(claims: JWTPayload, header?: Readonly<Record<string, unknown>>): Promise<string>;
}

export interface ProviderOptions {
  readonly accounts: Accounts;
  /** Seconds that ID and access tokens live. */
  readonly tokenSeconds?: number;
}

/** A certified OpenID Connect provider on a free port of loopback, with one public client for native programs. */
export async function startLoginProvider({ accounts, tokenSeconds = 3_600 }: ProviderOptions): Promise<LoginProvider> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), kid: "of-the-provider", alg: "RS256", use: "sig" };
  const requests: string[] = [];
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, configuration(accounts, jwk, tokenSeconds));
  const handle = provider.callback();
  server.on("request", (request, response) => {
    requests.push(`${request.method} ${(request.url ?? "").split("?")[0]}`);
    void handle(request, response);
  });
  return {
    issuer,
    requests,
    sign: (claims, header = {}) => {
      const protectedHeader = { alg: "RS256", kid: jwk.kid, ...header };
      return new SignJWT(claims).setProtectedHeader(protectedHeader).sign(privateKey);
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function configuration(accounts: Accounts, jwk: object, tokenSeconds: number): Configuration {
  return {
    jwks: { keys: [jwk] as never },
    cookies: { keys: ["for tests alone"] },
    clients: [
      {
        client_id: CLIENT_ID,
        application_type: "native",
        token_endpoint_auth_method: "none",
        redirect_uris: ["http://127.0.0.1/callback"],
        grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        response_types: ["code"],
      },
    ],
    // As most issuers have it: an ID token tells the claims itself.
    conformIdTokenClaims: false,
    claims: { openid: ["sub", "groups"], email: ["email", "email_verified"] },
    findAccount: (_, sub) => ({ accountId: sub, claims: async () => ({ sub, ...accounts[sub] }) }),
    ttl: {
      IdToken: tokenSeconds,
      AccessToken: tokenSeconds,
      RefreshToken: 3_600,
      Grant: 3_600,
      Session: 3_600,
      Interaction: 600,
    },
    features: features(tokenSeconds),
    extraTokenClaims: (_, token) => ("accountId" in token ? { ...accounts[token.accountId ?? ""] } : {}),
  };
}

function features(tokenSeconds: number): NonNullable<Configuration["features"]> {
  return {
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined as never,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: "",
        audience: RESOURCE,
        accessTokenTTL: tokenSeconds,
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: "RS256" } },
      }),
    },
  };
}
