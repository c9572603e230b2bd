import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";

/** An answer as it came over the wire. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The parsed body. Throws when it is not JSON. */
  readonly json: () => Record<string, unknown>;
}

export interface Call {
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** A text is sent as it is, anything else as JSON. */
  readonly body?: unknown;
}

/** Where calls without another identity come from: behind a proxy, hence not an admin. */
export const FROM_ELSEWHERE = { "x-forwarded-for": "203.0.113.7" };

/** A real HTTP call that may set any header, Host and Origin too, which fetch does not allow. */
export async function call(base: string, method: string, path: string, options: Call = {}): Promise<Reply> {
  const body = options.body === undefined ? undefined : toText(options.body);
  // Node frames the body of a DELETE only when told its length.
  const type =
    body === undefined ? {} : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) };
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const request = httpRequest(`${base}${path}`, { method, headers: { ...type, ...options.headers }, agent: false });
  request.once("error", reject);
  request.once("response", (response) => {
    text(response).then(
      (answer) =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: answer,
          json: () => JSON.parse(answer) as Record<string, unknown>,
        }),
      reject,
    );
  });
  request.end(body);
  return promise;
}

function toText(body: unknown): string {
  return typeof body === "string" ? body : JSON.stringify(body);
}
