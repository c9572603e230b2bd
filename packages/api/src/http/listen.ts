import { constants } from "node:crypto";
import { createServer, type RequestListener, type Server, type ServerOptions } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type SecureContextOptions, Server as TlsServer, type TlsOptions } from "node:tls";
import type { ApiSettings } from "../settings.ts";
import { portOwner } from "@heddle/model/port-owner.ts";

/** What an HTTPS port shows and takes: TLS 1.2 or newer unless told. With `ca`, client certificates are checked against it. */
export interface TlsListenOptions extends SecureContextOptions {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
  readonly requireClientCert?: boolean;
}

/** Where to listen. Port 0 takes any free one. */
export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** Makes it HTTPS. */
  readonly tls?: TlsListenOptions;
  /** How the port is chosen otherwise, for the error message: "--api-http-port / HEDDLE_API_SERVER_HTTP_PORT". */
  readonly setting?: string;
}

/** A server that accepts connections. */
export interface Listening {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly server: Server;
  /** Shows another certificate, or trusts other clients, from the next connection on. */
  readonly setTls: (tls: TlsListenOptions) => void;
}

/** The server could not take its port. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/** Opens one port. Throws ListenError that says who has the port and which setting changes it. */
export async function listen(
  handler: RequestListener,
  options: ListenOptions,
  timeouts: ApiSettings["timeouts"],
): Promise<Listening> {
  const server = serverFor(handler, options, timeouts);
  await bound(server, options);
  const { address, port } = server.address() as AddressInfo;
  const name = address.includes(":") ? `[${address}]` : address;
  const url = `${options.tls === undefined ? "http" : "https"}://${name}:${port}`;
  const setTls = (tls: TlsListenOptions): void => {
    if (server instanceof TlsServer) server.setSecureContext(contextOf(tls));
  };
  return { host: address, port, url, server, setTls };
}

/** The message for a port that cannot be taken. */
export async function listenFailure(error: unknown, options: ListenOptions): Promise<ListenError> {
  const where = `${options.host}:${options.port}`;
  const other = options.setting === undefined ? "choose another port" : `choose another with ${options.setting}`;
  const code = (error as NodeJS.ErrnoException).code;
  const state = await stateOf(code, options, error);
  const stop = code === "EADDRINUSE" ? "stop it or " : "";
  return new ListenError(`Cannot listen on ${where}: ${state}; ${stop}${other}`, { cause: error });
}

async function stateOf(code: string | undefined, { host, port }: ListenOptions, error: unknown): Promise<string> {
  switch (code) {
    case "EADDRINUSE": {
      const owner = await portOwner(port);
      return `another process${owner === undefined ? "" : `, ${owner.name} (pid ${owner.pid}),`} has the port`;
    }
    case "EACCES":
      return "this user may not listen on that port";
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `this machine has no address ${host}`;
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

function serverFor(handler: RequestListener, { tls }: ListenOptions, timeouts: ApiSettings["timeouts"]): Server {
  const limits: ServerOptions = {
    headersTimeout: timeouts.headers,
    requestTimeout: timeouts.read,
    keepAliveTimeout: timeouts.idle,
    // How often the two limits above are looked at; 30 s unless told.
    connectionsCheckingInterval: 1_000,
  };
  const server =
    tls === undefined ? createServer(limits, handler) : createTlsServer({ ...limits, ...secure(tls) }, handler);
  // Closes a connection whose peer neither sends nor takes anything for so long; long polls set their own.
  server.timeout = timeouts.write;
  return server;
}

function secure(tls: TlsListenOptions): TlsOptions {
  const context = contextOf(tls);
  if (tls.ca === undefined) return context;
  return { ...context, requestCert: true, rejectUnauthorized: tls.requireClientCert === true };
}

function contextOf({ requireClientCert: _, ...context }: TlsListenOptions): SecureContextOptions {
  // The certificate of a resumed session is not looked at again: no client comes back after the end of its own.
  const tickets = context.ca === undefined ? {} : { secureOptions: constants.SSL_OP_NO_TICKET };
  return { minVersion: "TLSv1.2", ...tickets, ...context };
}

async function bound(server: Server, options: ListenOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host: options.host, port: options.port }, resolve);
  try {
    await promise;
  } catch (error) {
    throw await listenFailure(error, options);
  } finally {
    server.off("error", reject);
  }
}
