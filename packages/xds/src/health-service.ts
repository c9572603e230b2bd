import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type EndpointHealthResponse,
  HealthCheckRequestOrEndpointHealthResponseSchema,
  HealthCheckSpecifierSchema,
} from "@heddle/envoy/gen/envoy/service/health/v3/hds_pb.js";
import { toNodeIdentity } from "./decode.ts";
import { grpcPrefix } from "./grpc-frame.ts";
import type { HealthConnection, HealthHooks } from "./hooks.ts";
import type { Service } from "./served-stream.ts";

/** Envoy's health discovery. */
export const HEALTH_PATH = "/envoy.service.health.v3.HealthDiscoveryService/StreamHealthCheck";

/** Serves health discovery: the proxy introduces itself, is told what to check, and reports from then on. */
export function healthService(hooks: HealthHooks): Service<EndpointHealthResponse | undefined, HealthConnection> {
  return {
    decode: (bytes) => {
      const { requestType } = fromBinary(HealthCheckRequestOrEndpointHealthResponseSchema, bytes);
      if (requestType.case === "endpointHealthResponse") return { message: requestType.value };
      const node = requestType.value?.node;
      return node === undefined ? { message: undefined } : { message: undefined, node: toNodeIdentity(node) };
    },
    connect: (request) => hooks.connect(request),
    begin: (connection, grpc) => {
      connection.attach((specifier) => {
        const bytes = toBinary(HealthCheckSpecifierSchema, specifier);
        grpc.write([Buffer.concat([grpcPrefix(bytes.length), bytes])]);
      });
      return (response) => {
        if (response !== undefined) connection.receive(response);
      };
    },
  };
}
