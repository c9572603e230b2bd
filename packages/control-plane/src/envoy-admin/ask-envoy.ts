import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { type AdminKeys, proxyUri } from "./admin-keys.ts";

export interface EnvoyQuestion {
  readonly mesh: string;
  readonly name: string;
  /** Host name or IP address, and port, of the proxy's inspect port. */
  readonly host: string;
  readonly port: number;
  /** Path and query of Envoy's admin interface. */
  readonly path: string;
  readonly limits: { readonly millis: number; readonly bytes: number };
}

export interface EnvoyAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Why there is no answer: what happened, and what usually is the reason. */
export class EnvoySilence extends Error {
  override readonly name = "EnvoySilence";
}

/** Asks a proxy through its inspect port, proving who asks and making sure who answers. Throws EnvoySilence. */
export function askEnvoy(keys: AdminKeys, question: EnvoyQuestion): Promise<EnvoyAnswer> {
  const { mesh, name, host, port, path, limits } = question;
  const patience = AbortSignal.timeout(limits.millis);
  const { promise, resolve, reject } = Promise.withResolvers<EnvoyAnswer>();
  let isConnected = false;
  const asked = request({
    host,
    port,
    path,
    agent: false,
    signal: patience,
    minVersion: "TLSv1.3",
    ca: keys.proxiesPem,
    cert: keys.caller.certificatePem,
    key: keys.caller.keyPem,
    checkServerIdentity: (_host, { subjectaltname }) =>
      subjectaltname === `URI:${proxyUri(mesh, name)}` ? undefined : new EnvoySilence(SOMEBODY_ELSE),
  });
  asked.on("socket", (socket) => socket.once("secureConnect", () => (isConnected = true)));
  asked.on("error", (error) => reject(explain(error, isConnected, limits)));
  asked.on("response", (response) => {
    readAll(response, limits.bytes).then(resolve, (error: Error) => {
      asked.destroy();
      reject(explain(error, isConnected, limits));
    });
  });
  asked.end();
  return promise;
}

async function readAll(response: IncomingMessage, largest: number): Promise<EnvoyAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largest) throw new EnvoySilence(`its answer is larger than ${largest} bytes`);
    chunks.push(chunk);
  }
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers["content-type"] ?? "text/plain",
    body: Buffer.concat(chunks).toString("utf8"),
  };
}

const SOMEBODY_ELSE = "who answers there is not this proxy; the address and port may be somebody else's by now";

function explain(error: Error, isConnected: boolean, { millis }: EnvoyQuestion["limits"]): EnvoySilence {
  if (error instanceof EnvoySilence) return error;
  const { code = "" } = error as NodeJS.ErrnoException;
  const isLate = code === "ABORT_ERR" || error.name === "TimeoutError";
  if (isConnected) return new EnvoySilence(isLate ? lateBy(millis) : CUT_OFF, { cause: error });
  return new EnvoySilence(REASONS.find(([match]) => match.test(code))?.[1] ?? SOMEBODY_ELSE, { cause: error });
}

function lateBy(millis: number): string {
  return `it gave no whole answer within ${millis} ms`;
}

const CUT_OFF =
  "it ended the connection; the proxy may be ending, or it does not know this control plane, but one with another store";

/** By Node's codes; whatever is not among them is about certificates, of which there are many codes. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [
    /^ECONNREFUSED$/,
    "nobody listens there; the proxy may be starting or ending, or an address translation leads past it",
  ],
  [/^(ENOTFOUND|EAI_AGAIN)$/, "this name cannot be resolved here"],
  [
    /^(ABORT_ERR|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN)$/,
    "it cannot be reached from here; a firewall may be between, or only the proxy's own network may know that address (then networking.advertisedAddress is to be one that the control plane can reach)",
  ],
];
