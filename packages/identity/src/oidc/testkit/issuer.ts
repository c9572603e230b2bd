import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";

export type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

/** An issuer's discovery document and keys on loopback, to be changed and broken by a test; it counts who asks. */
export interface TestIssuer extends AsyncDisposable {
  readonly url: string;
  /** How often the keys were asked for. */
  readonly asked: () => number;
  /** Status of its answers; anything but 200 is trouble. */
  status: number;
  /** What the discovery document says otherwise. */
  document: Readonly<Record<string, unknown>>;
  /** Publishes these keys from now on. */
  publish(keys: Readonly<Record<string, KeyPair>>): Promise<void>;
}

/** Starts an issuer that publishes `keys`. */
export async function startIssuer(keys: Readonly<Record<string, KeyPair>>): Promise<TestIssuer> {
  let published: unknown;
  let asked = 0;
  const server = createServer((request, response) => {
    const isKeys = request.url === "/keys";
    if (isKeys) asked++;
    const found = { issuer: issuer.url, jwks_uri: `${issuer.url}/keys`, ...issuer.document };
    response.writeHead(issuer.status, { location: "/keys" });
    response.end(JSON.stringify(isKeys ? published : found));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer: TestIssuer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    status: 200,
    document: {},
    publish: async (pairs) => {
      const each = Object.entries(pairs).map(async ([kid, pair]) => ({ ...(await exportJWK(pair.publicKey)), kid }));
      published = { keys: await Promise.all(each) };
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  await issuer.publish(keys);
  return issuer;
}

/** A token as its signer wants it. */
export async function signToken(
  claims: JWTPayload,
  pair: KeyPair,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  return await new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: "1", ...header }).sign(pair.privateKey);
}
