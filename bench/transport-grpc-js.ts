import { type handleBidiStreamingCall, Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { encodeBytes } from "@heddle/envoy/encode-resource.ts";
import { encodeResponse } from "@heddle/xds/encode.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import type { Order, Transport, TransportEvents } from "./transport-server.ts";

/** @grpc/grpc-js that passes bytes through: no serialisation, the same bytes for all streams. */
export async function startGrpcJs(tls: Order["tls"], events: TransportEvents): Promise<Transport> {
  const streams: ServerDuplexStream<Buffer, Buffer>[] = [];
  const server = new Server();
  const pass = (bytes: Buffer) => bytes;
  const definition = {
    path: "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
    requestStream: true,
    responseStream: true,
    requestSerialize: pass,
    requestDeserialize: pass,
    responseSerialize: pass,
    responseDeserialize: pass,
  } as const;
  const serve: handleBidiStreamingCall<Buffer, Buffer> = (stream) => {
    let isFirst = true;
    stream.sendMetadata(stream.metadata.clone());
    stream.on("error", () => {});
    stream.on("data", () => {
      if (isFirst) events.opened();
      else events.acknowledged();
      isFirst = false;
    });
    streams.push(stream);
  };
  server.addService({ stream: definition }, { stream: serve });
  const pair = { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) };
  const credentials = ServerCredentials.createSsl(null, [pair]);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return {
    port,
    push: (round, payload) => {
      const resources = [encodeBytes(TYPE_URL.cluster, "c", payload)];
      const framed = encodeResponse({ typeUrl: TYPE_URL.cluster, nonce: String(round), resources, removed: [] });
      // The library frames messages itself: without the five bytes of prefix.
      const message = Buffer.concat(framed).subarray(5);
      for (const stream of streams) stream.write(message);
    },
  };
}
