import {
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Http2ServerRequest, Http2ServerResponse, IncomingHttpHeaders } from "node:http2";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { SecureContextOptions, TLSSocket } from "node:tls";
import { ADS_PATH, adsService } from "./ads-service.ts";
import { statusHeaders } from "./grpc-status.ts";
import { HEALTH_PATH, healthService } from "./health-service.ts";
import type { ConnectRequest, HealthHooks, XdsHooks } from "./hooks.ts";
import { keepAlive, type KeepaliveOptions } from "./keepalive.ts";
import { listenHttp2, track } from "./listen-http2.ts";
import { ServedStream, type StreamLimits } from "./served-stream.ts";

/** Answers what is not gRPC on this port, such as POST /bootstrap, over HTTP/1.1 and HTTP/2 alike. */
export type HttpHandler = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
) => void;

/** PEM texts of the key and of the chain the server shows; TLS 1.2 or newer unless it says otherwise. */
export interface TlsIdentity extends SecureContextOptions {
  readonly key: string;
  readonly cert: string;
}

export interface XdsServerOptions {
  /** Address to listen on; all when absent. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls: TlsIdentity;
  readonly hooks: XdsHooks;
  readonly health?: HealthHooks;
  readonly handleHttp: HttpHandler;
  /** Hears of failures that are not the client's: errors thrown by the hooks. */
  readonly onError?: (error: unknown) => void;
  readonly limits?: Partial<XdsLimits>;
}

/** Bounds, so that no client can take more than its share. Times in milliseconds. */
export interface XdsLimits extends StreamLimits, KeepaliveOptions {
  readonly maxStreamsPerConnection: number;
  /** After so long a stream is not waited for to ask for more types; see the state machine. */
  readonly graceMillis: number;
  /** A stop waits so long for streams and requests to end. */
  readonly stopMillis: number;
}

export const DEFAULT_LIMITS: XdsLimits = {
  maxMessageBytes: 4 * 1024 * 1024,
  maxBufferedBytes: 64 * 1024 * 1024,
  maxStallMillis: 60_000,
  firstMessageMillis: 10_000,
  pingMillis: 30_000,
  pongMillis: 15_000,
  maxStreamsPerConnection: 100,
  graceMillis: 5_000,
  stopMillis: 2_000,
};

const TLS_DEFAULTS = { minVersion: "TLSv1.2" } as const;

/** The running server; disposing stops it gracefully. */
export interface XdsServer extends AsyncDisposable {
  readonly port: number;
  /** Discovery and health streams that are open now. */
  readonly streams: number;
  /** Shows another certificate from the next connection on. */
  setTls(identity: TlsIdentity): void;
}

/** Serves discovery, health discovery and plain HTTP on one TLS port. Throws when the port cannot be had. */
export async function serveXds(options: XdsServerOptions): Promise<XdsServer> {
  const limits: XdsLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const server = createSecureServer({
    ...TLS_DEFAULTS,
    ...options.tls,
    allowHTTP1: true,
    ALPNCallback: chooseProtocol,
    handshakeTimeout: limits.firstMessageMillis,
    settings: { maxConcurrentStreams: limits.maxStreamsPerConnection },
  });
  const serving = new Serving(server, options, limits);
  serving.port = await listenHttp2(server, options);
  return serving;
}

/**
 * HTTP/2 when the client speaks it. Node's list of protocols does the same, and keeps a copy of the list in each
 * connection, which holds 16 kB of a shared buffer back.
 */
function chooseProtocol({ protocols }: { readonly protocols: readonly string[] }): string | undefined {
  return ["h2", "http/1.1"].find((each) => protocols.includes(each));
}

class Serving implements XdsServer {
  port = 0;
  readonly #server: Http2SecureServer;
  readonly #limits: XdsLimits;
  readonly #open = new Set<Pick<ConnectRequest, "end">>();
  readonly #sockets = new Set<TLSSocket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  #lastStreamId = 0;

  constructor(server: Http2SecureServer, options: XdsServerOptions, limits: XdsLimits) {
    this.#server = server;
    this.#limits = limits;
    const ads = adsService(options.hooks, limits.graceMillis);
    const health = options.health === undefined ? undefined : healthService(options.health);
    server.on("secureConnection", (socket) => track(this.#sockets, socket));
    server.on("session", (session) => this.#meet(session));
    routeStreams(server, options.handleHttp, (stream, headers) => {
      const opened = { stream, headers, streamId: ++this.#lastStreamId, limits, onError: options.onError ?? ignore };
      const path = headers[":path"];
      if (path === ADS_PATH) this.#keep(stream, new ServedStream(opened, ads));
      else if (path === HEALTH_PATH && health) this.#keep(stream, new ServedStream(opened, health));
      else refuseMethod(stream, path);
    });
  }

  get streams(): number {
    return this.#open.size;
  }

  setTls(identity: TlsIdentity): void {
    this.#server.setSecureContext({ ...TLS_DEFAULTS, ...identity });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const stream of this.#open) stream.end("unavailable", "the control plane stops");
    for (const session of this.#sessions) session.close();
    const timer = setTimeout(() => this.#sockets.forEach((socket) => socket.destroy()), this.#limits.stopMillis);
    await closed;
    clearTimeout(timer);
  }

  #meet(session: ServerHttp2Session): void {
    track(this.#sessions, session);
    // A broken connection is closed by Node; its streams hear of it, and nobody else has to.
    session.on("error", ignore);
    keepAlive(session, this.#limits);
  }

  #keep(stream: ServerHttp2Stream, served: Pick<ConnectRequest, "end">): void {
    this.#open.add(served);
    stream.once("close", () => this.#open.delete(served));
  }
}

/**
 * Gives gRPC streams to `serve` and all else to the handler. Node's own request objects are made for the latter only:
 * thousands of long streams do not have to carry them.
 */
function routeStreams(
  server: Http2SecureServer,
  handleHttp: HttpHandler,
  serve: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
): void {
  server.on("request", handleHttp);
  const [asRequest] = server.listeners("stream");
  server.removeAllListeners("stream");
  server.on("stream", (stream: ServerHttp2Stream, headers, flags, rawHeaders) => {
    if (headers["content-type"]?.startsWith("application/grpc")) serve(stream, headers);
    else if (asRequest !== undefined) Reflect.apply(asRequest, server, [stream, headers, flags, rawHeaders]);
  });
}

function refuseMethod(stream: ServerHttp2Stream, path: string | undefined): void {
  const text = `Cannot serve "${path}": this port has ${ADS_PATH} (in Envoy: api_type DELTA_GRPC)`;
  const status = statusHeaders("unimplemented", text);
  stream.on("error", ignore);
  stream.respond({ ":status": 200, "content-type": "application/grpc", ...status }, { endStream: true });
}

function ignore(): void {}
