import type { TestContext } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type CheckRequest,
  CheckRequestSchema,
  type CheckResponse,
  CheckResponseSchema,
} from "@heddle/envoy/gen/envoy/service/auth/v3/external_auth_pb.js";
import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from "@grpc/grpc-js";

/** A real authorisation service that speaks gRPC, and what it was asked. */
export interface AuthorizationService {
  readonly port: number;
  readonly asked: readonly CheckRequest[];
  /** It is gone at once, with whatever it was about to answer. */
  readonly kill: () => void;
}

/** Starts one that decides by `decide`. */
export async function startAuthorizationService(
  t: TestContext,
  decide: (request: CheckRequest) => MessageInitShape<typeof CheckResponseSchema>,
): Promise<AuthorizationService> {
  const asked: CheckRequest[] = [];
  const server = new Server();
  const check = (call: ServerUnaryCall<CheckRequest, CheckResponse>, answer: sendUnaryData<CheckResponse>): void => {
    asked.push(call.request);
    answer(null, create(CheckResponseSchema, decide(call.request)));
  };
  server.addService(DEFINITION, { check });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
    error === null ? resolve(port) : reject(error),
  );
  t.after(() => server.forceShutdown());
  return { port: await promise, asked, kill: () => server.forceShutdown() };
}

const DEFINITION = {
  check: {
    path: "/envoy.service.auth.v3.Authorization/Check",
    requestStream: false,
    responseStream: false,
    requestSerialize: (message: CheckRequest) => Buffer.from(toBinary(CheckRequestSchema, message)),
    requestDeserialize: (bytes: Buffer) => fromBinary(CheckRequestSchema, bytes),
    responseSerialize: (message: CheckResponse) => Buffer.from(toBinary(CheckResponseSchema, message)),
    responseDeserialize: (bytes: Buffer) => fromBinary(CheckResponseSchema, bytes),
  },
} as const;
