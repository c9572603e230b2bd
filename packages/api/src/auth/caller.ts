import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";

/** What a request shows about where it comes from. Header names are lower case; a repeated header has several values. */
export interface Caller {
  /** IP of the peer, undefined when it is gone already. */
  readonly address: string | undefined;
  readonly encrypted: boolean;
  /** The request target as sent: a path, or a whole URL when the client takes this server for a proxy. */
  readonly target: string;
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
}

/** Reads the caller off a request of node:http or node:https. */
export function callerOf(request: IncomingMessage): Caller {
  return {
    address: request.socket.remoteAddress,
    encrypted: request.socket instanceof TLSSocket,
    target: request.url ?? "",
    headers: request.headersDistinct,
  };
}
