import type { CallerFilter } from "@heddle/engine/plan/caller-filters.ts";
import { type Init, present } from "@heddle/engine/emit/common.ts";
import type { NetworkFilter } from "@heddle/engine/plan/plan.ts";
import { any } from "@heddle/envoy/any.ts";
import { ApiVersion } from "@heddle/envoy/gen/envoy/config/core/v3/config_source_pb.js";
import {
  type BufferSettingsSchema,
  ExtAuthzPerRouteSchema,
  ExtAuthzSchema,
} from "@heddle/envoy/gen/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js";
import { ExtAuthzSchema as NetworkExtAuthzSchema } from "@heddle/envoy/gen/envoy/extensions/filters/network/ext_authz/v3/ext_authz_pb.js";
import type { ExtAuthzConf, IncludeBody } from "./schema.ts";
import type { AuthzService } from "./service.ts";

/** Asks about every request. What changes most, context and body, stands in the routes, where it drains no connection. */
export function requestFilter(conf: ExtAuthzConf, { fields }: AuthzService): CallerFilter {
  const { failureMode = "Deny", statusOnError, contextExtensions = {}, includeBody } = conf;
  const config = any(ExtAuthzSchema, {
    ...fields,
    transportApiVersion: ApiVersion.V3,
    failureModeAllow: failureMode === "Allow",
    ...(statusOnError === undefined ? {} : { statusOnError: { code: statusOnError } }),
    // A service that is broken into must not smuggle whole requests into a header.
    validateMutations: true,
  });
  const value = { contextExtensions, ...present({ withRequestBody: includeBody && bodyOf(includeBody) }) };
  const isPlain = includeBody === undefined && Object.keys(contextExtensions).length === 0;
  const onRoute = any(ExtAuthzPerRouteSchema, { override: { case: "checkSettings", value } });
  const filter = { stage: "decide", name: "envoy.filters.http.ext_authz", config } as const;
  return isPlain ? filter : { ...filter, onRoute };
}

/** Asks about every connection, when its first bytes come. */
export function connectionFilter({ failureMode }: ExtAuthzConf, { grpc }: AuthzService, key: string): NetworkFilter[] {
  if (grpc === undefined) return [];
  const config = any(NetworkExtAuthzSchema, {
    statPrefix: key,
    grpcService: grpc,
    transportApiVersion: ApiVersion.V3,
    failureModeAllow: failureMode === "Allow",
  });
  return [{ stage: "decide", name: "envoy.filters.network.ext_authz", config }];
}

function bodyOf({ maxBytes, allowPartial = false }: IncludeBody): Init<typeof BufferSettingsSchema> {
  return { maxRequestBytes: maxBytes, allowPartialMessage: allowPartial };
}
