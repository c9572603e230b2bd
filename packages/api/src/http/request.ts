import type { FastifyReply, FastifyRequest } from "fastify";
import type { Caller } from "../auth/caller.ts";
import type { User } from "../ports.ts";
import type { ApiRequest } from "./route.ts";

export interface RequestParts {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly caller: Caller;
  readonly user: User;
  /** Aborts when the server stops. */
  readonly closing: AbortSignal;
}

/** The request as handlers see it: no framework in it. */
export function apiRequest({ request, reply, caller, user, closing }: RequestParts): ApiRequest {
  const url = urlOf(caller);
  return {
    params: request.params as Readonly<Record<string, string>>,
    url,
    query: url.searchParams,
    header: (name) => caller.headers[name]?.join(","),
    body: request.body,
    user,
    // Made on demand: most handlers have answered before anybody could leave.
    get signal() {
      return AbortSignal.any([closing, goneSignal(reply)]);
    },
  };
}

function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  const leave = (): void => gone.abort(new Error("the caller has gone"));
  if (reply.raw.destroyed) leave();
  else reply.raw.once("close", leave);
  return gone.signal;
}

/** Links in answers lead to where the caller came from. A host that is none is replaced, as it is text from outside. */
function urlOf(caller: Caller): URL {
  const scheme = caller.encrypted ? "https" : "http";
  const host = caller.headers["host"]?.[0] ?? "localhost";
  const base = URL.canParse(`${scheme}://${host}/`) ? `${scheme}://${host}/` : `${scheme}://localhost/`;
  const path = caller.target.startsWith("/") ? caller.target : "/";
  // Concatenated, because "//elsewhere/x" relative to a base would be another host.
  return new URL(base.slice(0, -1) + path);
}
