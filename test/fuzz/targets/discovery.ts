import { fromBinary } from "@bufbuild/protobuf";
import { encodeBytes } from "@heddle/envoy/encode-resource.ts";
import { HealthCheckRequestOrEndpointHealthResponseSchema } from "@heddle/envoy/gen/envoy/service/health/v3/hds_pb.js";
import { decodeRequest } from "@heddle/xds/decode.ts";
import { encodeResponse } from "@heddle/xds/encode.ts";
import { encodeNode, encodeRequest } from "@heddle/xds/fake-wire.ts";
import { FrameError, FrameReader } from "@heddle/xds/grpc-frame.ts";
import { DeltaStream } from "@heddle/xds/protocol.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import { mutateBytes } from "../mutate.ts";
import { allowing, fromBytes, holds, type TargetPlan } from "../target.ts";

/** Requests as Envoy sends them, with their gRPC prefix. */
export const REQUESTS: readonly Uint8Array[] = [
  encodeRequest(
    { typeUrl: TYPE_URL.cluster },
    encodeNode("default.web", "web", { "dataplane.resource": "{}", a: [{ b: 1 }] }),
  ),
  encodeRequest({ typeUrl: TYPE_URL.endpoint, subscribe: ["a", "b"], initialVersions: { a: "1", z: "9" } }),
  encodeRequest({ typeUrl: TYPE_URL.cluster, nonce: "1" }),
  encodeRequest({ typeUrl: TYPE_URL.endpoint, nonce: "2", error: "bad" }),
  encodeRequest({ typeUrl: TYPE_URL.listener, subscribe: ["*"] }),
  encodeRequest({ typeUrl: TYPE_URL.route, subscribe: ["r"], unsubscribe: ["r", "*"] }),
  encodeRequest({ typeUrl: TYPE_URL.secret, subscribe: ["s"], unsubscribe: ["s"], nonce: "3" }),
];

const LONGEST = 65_536;

const frames: TargetPlan = {
  name: "grpc-frames",
  share: 50,
  open: () => ({
    name: "grpc-frames",
    make: fromBytes([...REQUESTS, Buffer.concat(REQUESTS)]),
    run: (input) => {
      const whole = read(input, input.length || 1);
      const pieces = read(input, 1 + (input.length % 7));
      holds(whole.join() === pieces.join(), "frames are the same, however the bytes are cut");
    },
  }),
};

/** What the reader makes of bytes that come in pieces. */
function read(bytes: Uint8Array, step: number): readonly string[] {
  const reader = new FrameReader(LONGEST);
  const messages: string[] = [];
  try {
    for (let start = 0; start < bytes.length; start += step) {
      for (const message of reader.read(bytes.subarray(start, start + step)))
        messages.push(Buffer.from(message).toString("hex"));
    }
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    // In one piece, what stands before the mistake is not given out.
    return [error.code];
  }
  return messages;
}

const resourcesOf = (names: readonly string[], typeUrl: string) =>
  new Map(names.map((name) => [name, encodeBytes(typeUrl, name, Buffer.alloc(20, 1))]));
const SET = new Map(
  Object.values(TYPE_URL).map((typeUrl) => [typeUrl, resourcesOf(["a", "b", "r", "s", "in"], typeUrl)] as const),
);

const protocol: TargetPlan = {
  name: "discovery-requests",
  share: 10,
  open: () => ({
    name: "discovery-requests",
    // Several requests of one stream, one of them changed.
    make: (random) =>
      Buffer.concat(
        Array.from({ length: 1 + random.below(8) }, () => {
          const request = random.pick(REQUESTS);
          if (random.oneIn(2)) return request;
          const body = mutateBytes(request.subarray(5), random.pick(REQUESTS), random);
          const prefix = Buffer.alloc(5);
          prefix.writeUInt32BE(body.length, 1);
          return Buffer.concat([prefix, body]);
        }),
      ),
    run: (input) => {
      const messages = allowing(() => new FrameReader(4 * 1_048_576).read(input), FrameError) ?? [];
      const stream = new DeltaStream({ maxResponseBytes: 60 });
      stream.handle({ event: "set", set: SET });
      for (const message of messages) talk(stream, message);
      stream.handle({ event: "grace-over" });
      stream.handle({ event: "set", set: new Map() });
    },
  }),
};

function talk(stream: DeltaStream, message: Uint8Array): void {
  const request = decoded(() => decodeRequest(message).request);
  decoded(() => fromBinary(HealthCheckRequestOrEndpointHealthResponseSchema, message));
  if (request === undefined) return;
  for (const output of stream.handle({ event: "request", request })) {
    if (output.output === "send") encodeResponse(output.response);
  }
}

// Whatever the decoder throws ends the stream with invalid_argument.
function decoded<Result>(decode: () => Result): Result | undefined {
  return allowing(decode, Error);
}

/** What proxies say over gRPC. */
export const DISCOVERY_TARGETS = [frames, protocol];
