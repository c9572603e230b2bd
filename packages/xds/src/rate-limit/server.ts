import { constants } from "node:crypto";
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from "node:http2";
import type { TLSSocket } from "node:tls";
import { keepAlive } from "../keepalive.ts";
import { DEFAULT_LIMITS, type TlsIdentity } from "../server.ts";
import { listenHttp2, track } from "../listen-http2.ts";
import { answerCall, refuseCall } from "./call.ts";
import type { RateLimitHooks } from "./hooks.ts";

/** The one method of Envoy's rate limit service. */
export const RATE_LIMIT_PATH = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit";

export interface RateLimitServerOptions {
  /** Address to listen on; all when absent. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls: TlsIdentity;
  /** PEM of the authority whose certificates callers must have: a connection without one is not made. */
  readonly callersPem: string;
  readonly hooks: RateLimitHooks;
  /** Hears of failures that are nobody's refusal. */
  readonly onError: (error: unknown) => void;
}

/** The running server; disposing ends it, with what is on its way answered. */
export interface RateLimitServer extends AsyncDisposable {
  readonly port: number;
}

/** A question is a few hundred bytes. */
const MAX_MESSAGE_BYTES = 64 * 1_024;
const STOP_MILLIS = 1_000;
const HANDSHAKE_MILLIS = 10_000;

/** Serves Envoy's rate limit protocol to callers with a certificate of ours. Throws when the port cannot be had. */
export async function serveRateLimits(options: RateLimitServerOptions): Promise<RateLimitServer> {
  const server = createSecureServer({
    ...options.tls,
    ca: options.callersPem,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: "TLSv1.3",
    // Nobody comes back with a ticket after the end of the certificate that it was given for.
    secureOptions: constants.SSL_OP_NO_TICKET,
    handshakeTimeout: HANDSHAKE_MILLIS,
    ALPNProtocols: ["h2"],
  });
  const sockets = new Set<TLSSocket>();
  const sessions = new Set<ServerHttp2Session>();
  server.on("secureConnection", (socket) => track(sockets, socket));
  server.on("session", (session) => {
    track(sessions, session);
    session.on("error", () => undefined);
    keepAlive(session, DEFAULT_LIMITS);
    serveSession(session, options);
  });
  const port = await listenHttp2(server, options);
  return { port, [Symbol.asyncDispose]: () => stop(server, sockets, sessions) };
}

function serveSession(session: ServerHttp2Session, { hooks, onError }: RateLimitServerOptions): void {
  const caller = callerOf(session);
  session.on("stream", (stream, headers) => {
    if (headers[":path"] !== RATE_LIMIT_PATH) {
      stream.on("error", () => undefined);
      const text = `Cannot serve "${headers[":path"]}": this port has ${RATE_LIMIT_PATH}`;
      return refuseCall(stream, "unimplemented", text);
    }
    answerCall(stream, { caller, hooks, onError, maxMessageBytes: MAX_MESSAGE_BYTES });
  });
}

/** The one URI of the certificate; the handshake made sure that it is one of ours. */
function callerOf({ socket }: ServerHttp2Session): string {
  const { subjectaltname = "" } = (socket as TLSSocket).getPeerCertificate();
  return /^URI:([^,\s]+)$/.exec(subjectaltname)?.[1] ?? "";
}

async function stop(
  server: Http2SecureServer,
  sockets: ReadonlySet<TLSSocket>,
  sessions: ReadonlySet<ServerHttp2Session>,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  for (const session of sessions) session.close();
  const timer = setTimeout(() => sockets.forEach((socket) => socket.destroy()), STOP_MILLIS);
  await promise;
  clearTimeout(timer);
}
