/** What a client sent is not gRPC, or too much of it. */
export class FrameError extends Error {
  override readonly name = "FrameError";
  readonly code: "invalid_argument" | "resource_exhausted" | "unimplemented";

  constructor(code: FrameError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** The five bytes before each gRPC message: not compressed, and so long. */
export function grpcPrefix(length: number): Uint8Array {
  const prefix = new Uint8Array(PREFIX_BYTES);
  new DataView(prefix.buffer).setUint32(1, length);
  return prefix;
}

/**
 * Cuts the bytes of a stream into gRPC messages. What it holds never exceeds `maxMessageBytes` by more than one chunk,
 * however small the pieces are in which a client sends it.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
export class FrameReader {
  readonly #maxMessageBytes: number;
  #buffer = EMPTY;
  #length = 0;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** The messages that are complete with this chunk. Throws FrameError. */
  read(chunk: Uint8Array): readonly Uint8Array[] {
    const bytes = this.#length === 0 ? chunk : this.#append(chunk);
    const messages: Uint8Array[] = [];
    let offset = 0;
    for (let end = this.#endOfMessage(bytes, offset); end <= bytes.length; end = this.#endOfMessage(bytes, offset)) {
      messages.push(bytes.subarray(offset + PREFIX_BYTES, end));
      offset = end;
    }
    this.#keep(bytes.subarray(offset));
    return messages;
  }

  /** Where the message that starts at `offset` ends; Infinity when not even its prefix is there. */
  #endOfMessage(bytes: Uint8Array, offset: number): number {
    if (bytes.length - offset < PREFIX_BYTES) return Infinity;
    if (bytes[offset] !== 0) {
      throw new FrameError("unimplemented", "Cannot read a compressed gRPC message: send it uncompressed");
    }
    const length = new DataView(bytes.buffer, bytes.byteOffset + offset).getUint32(1);
    if (length > this.#maxMessageBytes) {
      const text = `Cannot read a gRPC message of ${length} bytes: at most ${this.#maxMessageBytes} are accepted`;
      throw new FrameError("resource_exhausted", text);
    }
    return offset + PREFIX_BYTES + length;
  }

  /** Adds to a buffer that doubles when it is full, so that a message in a million pieces is not copied a million times. */
  #append(chunk: Uint8Array): Uint8Array {
    const needed = this.#length + chunk.length;
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, this.#length);
    this.#length = needed;
    return this.#buffer.subarray(0, needed);
  }

  /** Keeps the unfinished rest. Complete messages were given out of the old buffer, so the rest moves to a new one. */
  #keep(rest: Uint8Array): void {
    if (rest.length === this.#length && rest.buffer === this.#buffer.buffer) return;
    this.#buffer = rest.length === 0 ? EMPTY : rest.slice();
    this.#length = rest.length;
  }
}

const PREFIX_BYTES = 5;
const EMPTY = new Uint8Array();
