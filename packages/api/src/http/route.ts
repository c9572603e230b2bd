import type { Need } from "../auth/authorize.ts";
import type { User } from "../ports.ts";

export type Method = "GET" | "PUT" | "POST" | "DELETE";

/** One path of the API: what it does, who may, and the words for its documentation. */
export interface Route {
  readonly method: Method;
  /** With parameters in braces: "/meshes/{mesh}". */
  readonly path: string;
  /** Title of its error answers, in Kuma's words: "Could not retrieve a resource". */
  readonly title: string;
  readonly needs: Need;
  /** Type of the resource that the path names, where roles are asked about it. */
  readonly type?: string;
  readonly doc: RouteDoc;
  readonly handle: Handler;
}

export type Handler = (request: ApiRequest) => Answer | Promise<Answer>;

export interface RouteDoc {
  readonly summary: string;
  /** Heading it stands under. */
  readonly tag: string;
  readonly query?: readonly QueryParameter[];
  /** JSON Schema of the body. */
  readonly body?: JsonSchema;
  /** What a successful answer holds. */
  readonly answer: string;
  readonly answerSchema?: JsonSchema;
  /** Media type of a successful answer, when not JSON. */
  readonly answerType?: string;
  /** Another spelling of a documented path: served, yet left out of the documentation. */
  readonly alias?: boolean;
}

export interface QueryParameter {
  readonly name: string;
  readonly description: string;
  readonly required?: boolean;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A request whose caller is known and allowed. */
export interface ApiRequest {
  readonly params: Readonly<Record<string, string>>;
  /** The address as the caller wrote it. */
  readonly url: URL;
  readonly query: URLSearchParams;
  /** A header that stands once; several values are joined by commas. */
  readonly header: (name: string) => string | undefined;
  /** The parsed body, undefined without one. */
  readonly body: unknown;
  readonly user: User;
  /** Aborts when the caller has gone or the server stops. */
  readonly signal: AbortSignal;
}

type Headers = Readonly<Record<string, string>>;

/** An answer: JSON, text, or a stream of JSON lines. */
export type Answer =
  | { readonly status: number; readonly headers?: Headers; readonly json: unknown }
  | { readonly status: number; readonly headers?: Headers; readonly contentType: string; readonly text: string }
  | { readonly status: number; readonly headers?: Headers; readonly lines: AsyncIterable<unknown> };

/** A JSON answer with status 200. */
export function ok(json: unknown, headers: Headers = {}): Answer {
  return { status: 200, headers, json };
}

/** A parameter of the path. Throws when the route has no such parameter, which is our mistake. */
export function param(request: ApiRequest, name: string): string {
  const value = request.params[name];
  if (value === undefined) throw new RangeError(`Cannot read path parameter "${name}": the route does not have it`);
  return value;
}
