import { any } from "@heddle/envoy/any.ts";
import { duration } from "@heddle/envoy/duration.ts";
import type {
  HealthCheck_PayloadSchema,
  HealthCheckSchema,
} from "@heddle/envoy/gen/envoy/config/core/v3/health_check_pb.js";
import { HealthCheckEventFileSinkSchema } from "@heddle/envoy/gen/envoy/extensions/health_check/event_sinks/file/v3/file_pb.js";
import type { TypedExtensionConfigSchema } from "@heddle/envoy/gen/envoy/config/core/v3/extension_pb.js";
import { CodecClientType } from "@heddle/envoy/gen/envoy/type/v3/http_pb.js";
import type { HealthCheck, Probe } from "../plan/instances.ts";
import { type Init, present } from "./common.ts";
import { headerOptions } from "./header-options.ts";

/** How instances are asked whether they work, in Envoy's form. `http2`: what the instances speak where it is HTTP. */
export function emitHealthCheck(check: HealthCheck, http2: boolean): Init<typeof HealthCheckSchema> {
  const { interval, timeout, unhealthyThreshold, healthyThreshold, eventLogPath, logsEveryFailure } = check;
  return {
    interval: duration(interval),
    timeout: duration(timeout),
    unhealthyThreshold,
    healthyThreshold,
    ...present({
      initialJitter: duration(check.initialJitter),
      intervalJitter: duration(check.intervalJitter),
      intervalJitterPercent: check.intervalJitterPercent,
      noTrafficInterval: duration(check.noTrafficInterval),
      reuseConnection: check.reuseConnection,
    }),
    ...(eventLogPath === undefined ? {} : { eventLogger: [fileSink(eventLogPath)] }),
    alwaysLogHealthCheckFailures: logsEveryFailure ?? false,
    healthChecker: checker(check.probe, http2),
  };
}

function fileSink(eventLogPath: string): Init<typeof TypedExtensionConfigSchema> {
  return {
    name: "envoy.health_check.event_sink.file",
    typedConfig: any(HealthCheckEventFileSinkSchema, { eventLogPath }),
  };
}

type Checker = NonNullable<Init<typeof HealthCheckSchema>["healthChecker"]>;

function checker(probe: Probe, http2: boolean): Checker {
  switch (probe.by) {
    case "http":
      return { case: "httpHealthCheck", value: httpProbe(probe, http2) };
    case "tcp":
      return {
        case: "tcpHealthCheck",
        value: {
          ...(probe.send === undefined ? {} : { send: payload(probe.send) }),
          receive: probe.receive.map(payload),
        },
      };
    case "grpc":
      return {
        case: "grpcHealthCheck",
        value: { serviceName: probe.serviceName ?? "", authority: probe.authority ?? "" },
      };
  }
}

function httpProbe(
  { path, headers, expectedStatuses }: Extract<Probe, { by: "http" }>,
  http2: boolean,
): Extract<Checker, { case: "httpHealthCheck" }>["value"] {
  return {
    path,
    requestHeadersToAdd: headerOptions(headers),
    // Envoy has ranges without their end.
    expectedStatuses: expectedStatuses.map((status) => ({ start: BigInt(status), end: BigInt(status + 1) })),
    codecClientType: http2 ? CodecClientType.HTTP2 : CodecClientType.HTTP1,
  };
}

// Envoy sends what is written as text, in hexadecimal, and quietly leaves out what is written as bytes.
function payload(base64: string): Init<typeof HealthCheck_PayloadSchema> {
  return { payload: { case: "text", value: Buffer.from(base64, "base64").toString("hex") } };
}
