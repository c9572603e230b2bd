import { decodeRequest } from "./decode.ts";
import { encodeResponse } from "./encode.ts";
import type { DeltaRequest, ProtocolEvent, ProtocolOutput } from "./events.ts";
import type { GrpcStream } from "./grpc-stream.ts";
import type { ProxyConnection, XdsHooks } from "./hooks.ts";
import { DeltaStream } from "./protocol.ts";
import type { Service } from "./served-stream.ts";

/** Envoy's aggregated discovery, incremental variant. */
export const ADS_PATH = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";

/** Serves delta ADS: moves events between the wire, the control plane and the state machine, and decides nothing. */
export function adsService(hooks: XdsHooks, graceMillis: number): Service<DeltaRequest, ProxyConnection> {
  return {
    decode: (bytes) => {
      const { request, node } = decodeRequest(bytes);
      return node === undefined ? { message: request } : { message: request, node };
    },
    connect: (request) => hooks.connect(request),
    begin: (connection, grpc) => {
      const loop = new EventLoop(connection, grpc);
      connection.attach((set) => loop.run({ event: "set", set }));
      const timer = setTimeout(() => loop.run({ event: "grace-over" }), graceMillis);
      grpc.onClosed(() => clearTimeout(timer));
      return (request) => loop.run({ event: "request", request });
    },
  };
}

/** Feeds the state machine one event after the other, also when a report makes the control plane push at once. */
class EventLoop {
  readonly #protocol = new DeltaStream();
  readonly #connection: ProxyConnection;
  readonly #grpc: GrpcStream;
  readonly #events: ProtocolEvent[] = [];
  #isRunning = false;

  constructor(connection: ProxyConnection, grpc: GrpcStream) {
    this.#connection = connection;
    this.#grpc = grpc;
  }

  run(event: ProtocolEvent): void {
    if (!this.#grpc.isOpen) return;
    this.#events.push(event);
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        for (const output of this.#protocol.handle(next)) this.#perform(output);
      }
    } finally {
      this.#isRunning = false;
    }
  }

  #perform(output: ProtocolOutput): void {
    if (!this.#grpc.isOpen) return;
    switch (output.output) {
      case "send":
        return this.#grpc.write(encodeResponse(output.response));
      case "report":
        return this.#connection.report(output.event);
      case "fail":
        return this.#grpc.end("invalid_argument", output.reason);
    }
  }
}
