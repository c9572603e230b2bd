import { getCACertificates } from "node:tls";
import { Agent, type Dispatcher, request } from "undici";
import { z } from "zod";
import { lookupOutsideLinkLocal, refuseLinkLocal } from "../remote/link-local.ts";
import { AuthorityFailure } from "../remote/authority-failure.ts";
import { failureOf } from "./failure.ts";
import type { VaultSettings } from "./settings.ts";

/** How many requests run at once at most. */
export const MOST_AT_ONCE = 8;
/** A certificate with its chain is some 10 kB. */
const LARGEST_ANSWER = 1024 * 1024;

/** One request to Vault. */
export interface VaultRequest {
  readonly method: "GET" | "POST";
  /** Behind /v1/. */
  readonly path: string;
  readonly body?: object;
  readonly token?: string | undefined;
  readonly timeoutMillis: number;
  /** For messages: "to issue a certificate". */
  readonly what: string;
}

/** The connections to a Vault server. */
export interface VaultConnection {
  /** The answer's text; throws AuthorityFailure. */
  text(request: VaultRequest): Promise<string>;
  /** The answer as JSON, read by a schema; throws AuthorityFailure. */
  json<T>(request: VaultRequest, schema: z.ZodType<T>): Promise<T>;
  close(): void;
}

const errorsSchema = z.object({ errors: z.array(z.string()).nullish() });

/** Connections are made when they are needed. */
export function connectVault(settings: VaultSettings): VaultConnection {
  const agent = agentFor(settings);
  const text = (asked: VaultRequest): Promise<string> => send(settings, agent, asked);
  return {
    text,
    json: async (asked, schema) => parseAnswer(await text(asked), schema, asked.what),
    close: () => void agent.destroy(),
  };
}

function agentFor({ tls }: VaultSettings): Agent {
  return new Agent({
    connections: MOST_AT_ONCE,
    connect: {
      ca: tls.ca ?? [...getCACertificates("default"), ...getCACertificates("system")],
      ...tls.client,
      ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
      rejectUnauthorized: !tls.skipVerify,
      minVersion: "TLSv1.2",
      lookup: lookupOutsideLinkLocal,
    },
  });
}

async function send(
  { address, namespace, tls }: VaultSettings,
  dispatcher: Dispatcher,
  { method, path, body, token, timeoutMillis, what }: VaultRequest,
): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMillis);
  const headers = {
    ...(token === undefined ? {} : { "x-vault-token": token }),
    ...(namespace === undefined ? {} : { "x-vault-namespace": namespace }),
    // An agent asks for it, as a protection against forged requests of browsers.
    "x-vault-request": "true",
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  };
  try {
    refuseLinkLocal(address);
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await request(`${address}/v1/${path}`, { method, dispatcher, signal, headers, ...sent });
    const text = await limited(response.body);
    if (response.statusCode >= 300 && response.statusCode < 400)
      throw pointsElsewhere(address, response.headers["location"]);
    if (response.statusCode >= 300) throw failureOf(response.statusCode, errorsIn(text), what);
    return text;
  } catch (cause) {
    if (cause instanceof AuthorityFailure) throw cause;
    const reason = signal.aborted
      ? `no answer within ${timeoutMillis} ms`
      : (tlsReasonOf(cause, tls) ?? reasonOf(cause));
    throw new AuthorityFailure("unavailable", `Cannot reach Vault at ${address} ${what}: ${reason}`, { cause });
  }
}

/** Nobody but the address that the mesh names gets the token: a redirect is told, and not followed. */
function pointsElsewhere(address: string, location: string | string[] | undefined): AuthorityFailure {
  const to = URL.canParse(String(location)) ? new URL(String(location)).origin : "another place";
  return new AuthorityFailure(
    "unavailable",
    `Vault at ${address} points to ${to}: give the address of the leader, or of a standby that forwards`,
  );
}

async function limited(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > LARGEST_ANSWER) throw new Error("the answer is larger than any of Vault's");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function errorsIn(text: string): readonly string[] {
  try {
    return errorsSchema.parse(JSON.parse(text)).errors ?? [];
  } catch {
    return [];
  }
}

function parseAnswer<T>(text: string, schema: z.ZodType<T>, what: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    // What came may hold a key, so none of it is quoted.
    throw new AuthorityFailure("unavailable", `Cannot read Vault's answer ${what}: it has not the form of Vault's API`);
  }
}

/** What speaks against the certificate that Vault shows, or ours against Vault; undefined when it is something else. */
function tlsReasonOf(cause: unknown, { ca }: VaultSettings["tls"]): string | undefined {
  const { code = "", message } = cause as NodeJS.ErrnoException;
  switch (code) {
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "CERT_SIGNATURE_FAILURE":
      return ca === undefined
        ? "its certificate is signed by no authority that this machine trusts; name its authority in tls.caCert"
        : "its certificate is not signed by the authority in tls.caCert; take the authority of Vault's own certificate";
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return `its certificate is for another name (${message}); name it in tls.serverName`;
    case "CERT_HAS_EXPIRED":
    case "CERT_NOT_YET_VALID":
      return `its certificate ${code === "CERT_HAS_EXPIRED" ? "has expired" : "is not valid yet"}; compare the clocks: it is ${new Date().toISOString()} here`;
    default:
      return undefined;
  }
}

function reasonOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.message === "") return reasonOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : String(cause);
}
