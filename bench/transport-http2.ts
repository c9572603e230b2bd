import { createSecureServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { encodeBytes } from "@heddle/envoy/encode-resource.ts";
import { encodeResponse } from "@heddle/xds/encode.ts";
import { FrameReader } from "@heddle/xds/grpc-frame.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import type { Order, Transport, TransportEvents } from "./transport-server.ts";

/** node:http2 with thin framing and no state machine: every message after the first is an ACK. */
export async function startHttp2(tls: Order["tls"], events: TransportEvents): Promise<Transport> {
  const streams: ServerHttp2Stream[] = [];
  const server = createSecureServer({ ...tls, minVersion: "TLSv1.3" });
  server.on("stream", (stream: ServerHttp2Stream) => {
    const reader = new FrameReader(4_000_000);
    let isFirst = true;
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("error", () => {});
    stream.on("data", (chunk: Uint8Array) => {
      for (const _message of reader.read(chunk)) {
        if (isFirst) events.opened();
        else events.acknowledged();
        isFirst = false;
      }
    });
    streams.push(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    push: (round, payload) => {
      const pieces = encodeResponse({
        typeUrl: TYPE_URL.cluster,
        nonce: String(round),
        resources: [encodeBytes(TYPE_URL.cluster, "c", payload)],
        removed: [],
      });
      for (const stream of streams) {
        stream.cork();
        for (const piece of pieces) stream.write(piece);
        stream.uncork();
      }
    },
  };
}
