import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import type { User } from "../ports.ts";

/** What a request shows about where it comes from. Header names are lower case; a repeated header has several values. */
export interface Caller {
  /** IP of the peer, undefined when it is gone already. */
  readonly address: string | undefined;
  readonly encrypted: boolean;
  /** The request target as sent: a path, or a whole URL when the client takes this server for a proxy. */
  readonly target: string;
  /** Whom a client certificate names that the server has checked. */
  readonly certificate?: User;
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
}

/** Reads the caller off a request of node:http or node:https. */
export function callerOf(request: IncomingMessage): Caller {
  const certificate = request.socket instanceof TLSSocket ? certificateUser(request.socket) : undefined;
  return {
    ...(certificate === undefined ? {} : { certificate }),
    address: request.socket.remoteAddress,
    encrypted: request.socket instanceof TLSSocket,
    target: request.url ?? "",
    headers: request.headersDistinct,
  };
}

/** The user of a client certificate: CN is the name, O the groups, as in Kubernetes; without CN the first SAN. */
export function certificateUser(socket: TLSSocket): User | undefined {
  // Set only when the server asks for certificates and this one comes from an authority that it trusts.
  if (!socket.authorized) return undefined;
  const { subject, subjectaltname } = socket.getPeerCertificate();
  const [name] = [subject?.CN].flat();
  const user = name || /^(?:URI|email|DNS):([^,"]+)/.exec(subjectaltname ?? "")?.[1];
  return user === undefined
    ? undefined
    : { name: user, groups: [subject?.O].flat().filter((each) => each !== undefined) };
}
