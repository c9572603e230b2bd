import type { IncomingMessage } from "node:http";
import { CliError } from "../cli-error.ts";
import type { Profile } from "../profiles/profile.ts";
import { explainRefusal } from "./explain-refusal.ts";
import { linesOf } from "./lines.ts";
import { openTransport, type Transport } from "./transport.ts";

/** One call of the REST API. */
export interface Call {
  readonly method?: "GET" | "PUT" | "POST" | "DELETE";
  /** Begins with a slash; its segments are encoded already. */
  readonly path: string;
  readonly query?: Readonly<Record<string, QueryValue | readonly QueryValue[]>>;
  readonly body?: unknown;
  /** Completes "Cannot ..." in an error: `delete MeshTimeout "default/slow"`. */
  readonly action: string;
  /** What to do about 409, where it does not mean that somebody else wrote the resource. */
  readonly conflict?: string;
  /** Instead of the --api-timeout. */
  readonly timeoutMillis?: number;
}
type QueryValue = string | number | boolean | undefined;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** A control plane's REST API. Every method fails with a CliError that says what to do next, or with the abort of Ctrl-C. */
export interface Api {
  readonly address: string;
  /** A call whose answer is a success. */
  readonly call: (call: Call) => Promise<Answer>;
  /** A call whose answer is JSON. */
  readonly json: (call: Call) => Promise<unknown>;
  /** A call whose answer comes in lines, over a time of up to `timeoutMillis`. */
  readonly lines: (call: Call) => AsyncIterable<string>;
}

export interface ApiOptions {
  readonly timeoutMillis: number;
  /** Ctrl-C: ends running calls. */
  readonly signal: AbortSignal;
  /** Gets one line for each call. */
  readonly debug?: ((line: string) => void) | undefined;
}

/** The REST API of one control plane. Certificates are read now, so that a wrong path fails before anything is sent. */
export function openApi(profile: Profile, options: ApiOptions): Api {
  const transport = openTransport(profile, options);
  const call = (request: Call): Promise<Answer> => callOnce(transport, request);
  return {
    address: profile.address,
    call,
    json: async (request) => parseJson(transport.address, request, await call(request)),
    lines: (request) => readLines(transport, request),
  };
}

/** A path from its parts, each encoded: `/meshes/default/dataplanes/web-1`. */
export function pathOf(...segments: readonly string[]): string {
  return segments.map((segment) => `/${encodeURIComponent(segment)}`).join("");
}

async function callOnce(transport: Transport, call: Call): Promise<Answer> {
  const { response, guard } = await transport.send(call);
  const text = await guard(readText(response));
  const answer = { status: response.statusCode ?? 0, headers: response.headers, text };
  if (answer.status >= 400) throw explainRefusal(transport.address, call, answer);
  return answer;
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(address: string, call: Call, answer: Answer): unknown {
  try {
    return JSON.parse(answer.text);
  } catch (cause) {
    throw new CliError(`Cannot ${call.action}: ${address} answers, but not with JSON`, {
      details: [answer.text.slice(0, 200)],
      next: ["Check that the address is a control plane's REST API (port 5681): heddle config view"],
      cause,
    });
  }
}

async function* readLines(transport: Transport, call: Call): AsyncGenerator<string> {
  const { response, guard } = await transport.send(call);
  const status = response.statusCode ?? 0;
  if (status >= 400) {
    const text = await guard(readText(response));
    throw explainRefusal(transport.address, call, { status, headers: response.headers, text });
  }
  const lines = linesOf(response)[Symbol.asyncIterator]();
  for (let next = await guard(lines.next()); next.done !== true; next = await guard(lines.next())) yield next.value;
}
