import type { ClientRequest, IncomingMessage } from "node:http";
import { request } from "node:https";
import { getCACertificates } from "node:tls";
import type { ControlPlane, Trust } from "./control-plane.ts";

/** An answer of the control plane. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  /** When it was sent, by the control plane's clock: its Date header. */
  readonly date: string | undefined;
  readonly text: string;
}

export interface PostOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** For the whole exchange. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** A bootstrap is some 10 kB; what is much larger is not one. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** Posts JSON to the control plane. Rejects with Node's error (its `code` says what went wrong) or an AbortError. */
export async function postJson(
  { url, trust }: ControlPlane,
  path: string,
  body: unknown,
  { headers, timeoutMs, signal }: PostOptions,
): Promise<Answer> {
  const content = Buffer.from(JSON.stringify(body));
  const timeout = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, url), {
      method: "POST",
      headers: {
        accept: "application/json",
        "content-type": "application/json",
        "content-length": content.length,
        ...headers,
      },
      agent: false,
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      ...tlsOptions(trust),
    });
    sent.on("error", (cause) => reject(timeout.aborted ? new Error("no answer", { cause: timeout.reason }) : cause));
    sent.on("response", (response) => void collect(response, sent).then(resolve, reject));
    sent.end(content);
  });
}

async function collect(response: IncomingMessage, sent: ClientRequest): Promise<Answer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    chunks.push(chunk);
    if (size > MAX_ANSWER_BYTES) sent.destroy(new Error("the answer is larger than any bootstrap"));
  }
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers["content-type"] ?? "",
    date: response.headers.date,
    text: Buffer.concat(chunks).toString("utf8"),
  };
}

function tlsOptions(trust: Trust): { ca?: string[]; rejectUnauthorized?: boolean; minVersion: "TLSv1.2" } {
  switch (trust.kind) {
    case "anyone":
      return { rejectUnauthorized: false, minVersion: "TLSv1.2" };
    case "authorities":
      return { ca: [trust.pem], minVersion: "TLSv1.2" };
    case "system":
      // What the machine trusts, and what NODE_EXTRA_CA_CERTS adds; Node alone would take the list it was built with.
      return { ca: systemAuthorities(), minVersion: "TLSv1.2" };
  }
}

function systemAuthorities(): string[] {
  const system = getCACertificates("system");
  return [...(system.length > 0 ? system : getCACertificates("bundled")), ...getCACertificates("extra")];
}
