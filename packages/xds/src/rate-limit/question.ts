import { fromBinary } from "@bufbuild/protobuf";
import { RateLimitRequestSchema } from "@heddle/envoy/gen/envoy/service/ratelimit/v3/rls_pb.js";
import { FrameError } from "../grpc-frame.ts";
import type { RateLimitQuestion } from "./hooks.ts";

/** Reads what a proxy asks about one request; throws FrameError "invalid_argument". */
export function readQuestion(message: Uint8Array): RateLimitQuestion {
  try {
    const { domain, descriptors, hitsAddend } = fromBinary(RateLimitRequestSchema, message);
    return { domain, descriptors: descriptors.map(({ entries }) => entries), hits: Math.max(1, hitsAddend) };
  } catch (cause) {
    throw new FrameError("invalid_argument", `Cannot read the message: it is no RateLimitRequest (${String(cause)})`);
  }
}
