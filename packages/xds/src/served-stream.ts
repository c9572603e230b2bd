import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { NodeIdentity } from "./decode.ts";
import type { GrpcCode } from "./grpc-status.ts";
import { type GrpcLimits, GrpcStream } from "./grpc-stream.ts";
import { type ConnectRequest, XdsRefusal } from "./hooks.ts";

export interface StreamLimits extends GrpcLimits {
  /** A stream says who it is within this time. */
  readonly firstMessageMillis: number;
}

/** A stream as the server met it. */
export interface OpenedStream {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly streamId: number;
  readonly limits: StreamLimits;
  /** Failures that are nobody's refusal. */
  onError(error: unknown): void;
}

/** What a gRPC method does with its streams. */
export interface Service<Message, Connection extends { close(reason: string): void }> {
  /** Reads a message, and who sends it if that is in it. Throws when the bytes are malformed. */
  decode(bytes: Uint8Array): { readonly message: Message; readonly node?: NodeIdentity };
  /** Accepts the client, or throws XdsRefusal. */
  connect(request: ConnectRequest): Promise<Connection>;
  /** The client is accepted: gives back what to do with its messages, the first one included. */
  begin(connection: Connection, grpc: GrpcStream): (message: Message) => void;
}

/**
 * The life of a stream: it says who it is in its first message, is accepted or refused, then both sides talk until one
 * of them ends it. What arrives while the control plane makes up its mind waits.
 */
export class ServedStream<Message, Connection extends { close(reason: string): void }> {
  readonly #opened: OpenedStream;
  readonly #service: Service<Message, Connection>;
  readonly #grpc: GrpcStream;
  readonly #deadline: NodeJS.Timeout;
  #waiting: Message[] = [];
  #connection: Connection | undefined;
  #receive: ((message: Message) => void) | undefined;
  #isKnown = false;
  #closeReason: string | undefined;

  constructor(opened: OpenedStream, service: Service<Message, Connection>) {
    this.#opened = opened;
    this.#service = service;
    this.#grpc = new GrpcStream(opened.stream, opened.limits, {
      message: (bytes) => this.#guard(() => this.#take(bytes)),
      closed: (reason) => this.#close(reason),
    });
    this.#deadline = setTimeout(
      () => this.end("deadline_exceeded", "Cannot serve this stream: no complete first message arrived in time"),
      opened.limits.firstMessageMillis,
    );
  }

  /** Ends the stream with a status for the client. */
  end(code: GrpcCode, reason: string): void {
    this.#grpc.end(code, reason);
  }

  #take(bytes: Uint8Array): void {
    if (this.#closeReason !== undefined) return;
    const decoded = this.#decode(bytes);
    if (decoded === undefined) return;
    if (this.#receive !== undefined) return this.#receive(decoded.message);
    this.#waiting.push(decoded.message);
    if (!this.#isKnown) this.#meet(decoded.node);
  }

  #decode(bytes: Uint8Array): ReturnType<Service<Message, Connection>["decode"]> | undefined {
    try {
      return this.#service.decode(bytes);
    } catch {
      this.end("invalid_argument", "Cannot read the message: it is not what this method takes");
      return undefined;
    }
  }

  /** The first message: who is it? */
  #meet(node: NodeIdentity | undefined): void {
    this.#isKnown = true;
    clearTimeout(this.#deadline);
    if (node === undefined || node.id === "") {
      return this.end("invalid_argument", "Cannot serve this stream: its first message has no node id");
    }
    this.#opened.stream.pause();
    void this.#connect(node);
  }

  async #connect(node: NodeIdentity): Promise<void> {
    const { streamId, headers, stream } = this.#opened;
    const end = (code: GrpcCode, reason: string) => this.end(code, reason);
    try {
      const answers = () => answersPing(stream);
      const request = { streamId, node, token: readToken(headers), peer: peerOf(stream), answers, end };
      const connection = await this.#service.connect(request);
      if (this.#closeReason !== undefined) return connection.close(this.#closeReason);
      this.#connection = connection;
      this.#begin(connection);
    } catch (error) {
      this.#fail(error);
    }
  }

  #begin(connection: Connection): void {
    this.#grpc.accept();
    const receive = this.#service.begin(connection, this.#grpc);
    this.#receive = receive;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const message of waiting) receive(message);
    this.#opened.stream.resume();
  }

  #close(reason: string): void {
    this.#closeReason = reason;
    clearTimeout(this.#deadline);
    this.#guard(() => this.#connection?.close(reason));
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (error instanceof XdsRefusal) return this.end(error.code, error.message);
    this.#opened.onError(error);
    this.end("internal", "Cannot serve this stream: the control plane failed, its log says why");
  }
}

/** Kuma's proxies send the bare token; clients that put "Bearer" before it are understood as well. */
function readToken({ authorization }: IncomingHttpHeaders): string | undefined {
  const token = authorization?.replace(/^bearer +/i, "").trim();
  return token === "" ? undefined : token;
}

function peerOf({ session }: ServerHttp2Stream): string {
  return `${session?.socket.remoteAddress ?? "unknown"}:${session?.socket.remotePort ?? 0}`;
}

/** Longer than a round trip to anywhere; who waits for it is a proxy that may have to wait anyway. */
const PONG_MILLIS = 1_000;

function answersPing({ session }: ServerHttp2Stream): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const late = setTimeout(() => resolve(false), PONG_MILLIS);
  // False when too many pings are under way: then the last ones were not answered either.
  const isSent = session?.destroyed === false && session.ping((error) => resolve(error === null));
  if (!isSent) resolve(false);
  return promise.finally(() => clearTimeout(late));
}
