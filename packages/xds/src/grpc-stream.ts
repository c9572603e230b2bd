import { constants, type ServerHttp2Stream } from "node:http2";
import { FrameError, FrameReader } from "./grpc-frame.ts";
import { type GrpcCode, statusHeaders } from "./grpc-status.ts";

export interface GrpcLimits {
  /** A message from the client is at most so big. */
  readonly maxMessageBytes: number;
  /** A client for which so much waits when there is more to send is cut off. */
  readonly maxBufferedBytes: number;
  /** A client that leaves something waiting for so long is cut off. */
  readonly maxStallMillis: number;
}

export interface GrpcHandlers {
  message(bytes: Uint8Array): void;
  /** Called exactly once, whoever ended the stream. */
  closed(reason: string): void;
}

/** The server's side of one gRPC stream on HTTP/2: messages in, messages out, a status at the end. */
export class GrpcStream {
  readonly #stream: ServerHttp2Stream;
  readonly #limits: GrpcLimits;
  readonly #handlers: GrpcHandlers;
  #isOpen = true;
  #stall: NodeJS.Timeout | undefined;
  #onClosed: () => void = () => {};

  constructor(stream: ServerHttp2Stream, limits: GrpcLimits, handlers: GrpcHandlers) {
    this.#stream = stream;
    this.#limits = limits;
    this.#handlers = handlers;
    const reader = new FrameReader(limits.maxMessageBytes);
    stream.on("data", (chunk: Uint8Array) => this.#read(reader, chunk));
    stream.on("end", () => this.end("ok", "", "the proxy ended the stream"));
    stream.on("aborted", () => this.#close("the connection was lost"));
    stream.on("error", (error) => this.#close(`the connection failed: ${error.message}`));
    stream.on("close", () => this.#close("the connection was lost"));
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Calls this too when the stream is over, before the handler. */
  onClosed(action: () => void): void {
    this.#onClosed = action;
  }

  /** Says that the stream is accepted. */
  accept(): void {
    if (!this.#isOpen || this.#stream.headersSent) return;
    this.#stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
  }

  /** Sends one message, given in pieces with its prefix. */
  write(pieces: readonly Uint8Array[]): void {
    if (!this.#isOpen) return;
    if (this.#stream.writableLength > this.#limits.maxBufferedBytes) return this.#cut();
    this.accept();
    this.#stream.cork();
    for (const piece of pieces) this.#stream.write(piece);
    this.#stream.uncork();
    if (this.#stream.writableNeedDrain) this.#watchStall();
  }

  /** Ends the stream with a status for the client; `reason` is for the server's own side. */
  end(code: GrpcCode, message: string, reason = message): void {
    if (!this.#isOpen) return;
    const status = statusHeaders(code, message);
    this.#close(reason);
    if (this.#stream.destroyed) return;
    if (this.#stream.headersSent) {
      this.#stream.once("wantTrailers", () => this.#stream.sendTrailers(status));
      this.#stream.end();
    } else this.#stream.respond({ ...RESPONSE_HEADERS, ...status }, { endStream: true });
    const timer = setTimeout(() => this.#stream.close(constants.NGHTTP2_CANCEL), CLOSE_MILLIS).unref();
    this.#stream.once("close", () => clearTimeout(timer));
  }

  #read(reader: FrameReader, chunk: Uint8Array): void {
    if (!this.#isOpen) return;
    try {
      for (const message of reader.read(chunk)) this.#handlers.message(message);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.end(error.code, error.message);
    }
  }

  #watchStall(): void {
    if (this.#stall !== undefined) return;
    this.#stall = setTimeout(() => this.#cut(), this.#limits.maxStallMillis);
    this.#stream.once("drain", () => {
      clearTimeout(this.#stall);
      this.#stall = undefined;
    });
  }

  #cut(): void {
    this.#close(`the proxy does not read: ${this.#stream.writableLength} bytes wait for it`);
    this.#stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #close(reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#stall);
    this.#onClosed();
    this.#handlers.closed(reason);
  }
}

const RESPONSE_HEADERS = { ":status": 200, "content-type": "application/grpc" } as const;
/** How long a client may take to close its side after it was told that the stream is over. */
const CLOSE_MILLIS = 5_000;
