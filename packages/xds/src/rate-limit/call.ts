import type { ServerHttp2Stream } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  RateLimitResponse_Code,
  RateLimitResponseSchema,
} from "@heddle/envoy/gen/envoy/service/ratelimit/v3/rls_pb.js";
import { FrameError, FrameReader, grpcPrefix } from "../grpc-frame.ts";
import { type GrpcCode, statusHeaders } from "../grpc-status.ts";
import { type RateLimitAnswer, RateLimitFailure, type RateLimitHooks } from "./hooks.ts";
import { readQuestion } from "./question.ts";

export interface CallOptions {
  readonly caller: string;
  readonly hooks: RateLimitHooks;
  readonly maxMessageBytes: number;
  readonly onError: (error: unknown) => void;
}

/** Answers one call: a message comes, is decided about, and an answer or a status goes back. */
export function answerCall(stream: ServerHttp2Stream, options: CallOptions): void {
  const reader = new FrameReader(options.maxMessageBytes);
  let isAnswered = false;
  // The connection broke, or the proxy did not want to wait any longer: nobody is there to hear of it.
  stream.on("error", () => undefined);
  stream.on("data", (chunk: Uint8Array) => {
    if (isAnswered) return;
    try {
      const [message] = reader.read(chunk);
      if (message === undefined) return;
      isAnswered = true;
      decide(stream, message, options);
    } catch (error) {
      isAnswered = true;
      fail(stream, error, options);
    }
  });
  stream.on("end", () => {
    if (!isAnswered) refuseCall(stream, "invalid_argument", "Cannot answer: the call ended without a whole message");
  });
}

/** Ends a call with a status and without an answer. */
export function refuseCall(stream: ServerHttp2Stream, code: GrpcCode, message: string): void {
  if (stream.destroyed || stream.headersSent) return;
  stream.respond({ ...HEADERS, ...statusHeaders(code, message) }, { endStream: true });
}

function decide(stream: ServerHttp2Stream, message: Uint8Array, options: CallOptions): void {
  const decided = options.hooks.decide(options.caller, readQuestion(message));
  if (typeof decided === "string") return respond(stream, decided);
  decided.then(
    (answer) => respond(stream, answer),
    (error: unknown) => fail(stream, error, options),
  );
}

function respond(stream: ServerHttp2Stream, answer: RateLimitAnswer): void {
  if (stream.destroyed) return;
  stream.respond(HEADERS, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers(OK_TRAILERS));
  stream.end(ANSWERS[answer]);
}

function fail(stream: ServerHttp2Stream, error: unknown, { onError }: CallOptions): void {
  if (error instanceof RateLimitFailure || error instanceof FrameError) {
    return refuseCall(stream, error.code, error.message);
  }
  onError(error);
  refuseCall(stream, "internal", "Cannot answer: the control plane failed, its log says why");
}

const HEADERS = { ":status": 200, "content-type": "application/grpc" } as const;
const OK_TRAILERS = statusHeaders("ok", "");

// There are two answers, so they are encoded once.
const ANSWERS: Readonly<Record<RateLimitAnswer, Uint8Array>> = {
  ok: encoded(RateLimitResponse_Code.OK),
  "over limit": encoded(RateLimitResponse_Code.OVER_LIMIT),
};

function encoded(overallCode: RateLimitResponse_Code): Uint8Array {
  const bytes = toBinary(RateLimitResponseSchema, create(RateLimitResponseSchema, { overallCode }));
  return Buffer.concat([grpcPrefix(bytes.length), bytes]);
}
