import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { ADS_PATH } from "../ads-service.ts";
import { grpcPrefix } from "../grpc-frame.ts";
import { readStatus } from "../grpc-status.ts";

/** A gRPC stream whose bytes a test writes itself. */
export interface RawStream extends Disposable {
  readonly session: ClientHttp2Session;
  readonly stream: ClientHttp2Stream;
  /** "invalid_argument: why", or "closed" when the stream ended without a status. */
  readonly ended: Promise<string>;
}

/** Opens a stream without a message. */
export function openRaw(
  port: number,
  ca: string,
  { path = ADS_PATH, token }: { readonly path?: string; readonly token?: string } = {},
): RawStream {
  const session = connect(`https://127.0.0.1:${port}`, { ca, servername: "localhost" });
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...(token === undefined ? {} : { authorization: token }),
  });
  const ended = new Promise<string>((resolve) => {
    const settle = (headers: Readonly<Record<string, unknown>>) => {
      if (headers["grpc-status"] === undefined) return;
      const { code, message } = readStatus(headers);
      resolve(`${code}: ${message}`);
    };
    stream.on("response", settle);
    stream.on("trailers", settle);
    stream.on("error", () => resolve("closed"));
    stream.on("close", () => resolve("closed"));
    session.on("error", () => resolve("closed"));
  });
  return { session, stream, ended, [Symbol.dispose]: () => session.destroy() };
}

/** A message with its gRPC prefix. */
export function framed(message: Uint8Array): Uint8Array {
  return Buffer.concat([grpcPrefix(message.length), message]);
}
