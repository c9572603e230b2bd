import { isHttp } from "@heddle/engine/emit/common.ts";
import { definePolicy } from "@heddle/engine/policy.ts";
import { displayName } from "@heddle/model/labels.ts";
import { meshTraceKind } from "./kind.ts";
import type { TraceConf } from "./schema.ts";
import { tracingChange } from "./tracing.ts";

/** Spans of the requests that proxies take and send. */
export const meshTrace = definePolicy<never, TraceConf, TraceConf>({
  kind: meshTraceKind,
  // A policy may be about one inbound only, so each is asked for itself.
  inbound: ({ everyone }, { protocol }, proxy) =>
    isHttp(protocol) ? tracingChange(everyone?.value ?? {}, { proxy, suffix: "_INBOUND" }) : {},
  proxy: ({ value }, proxy) => ({
    outbounds: (destination) =>
      isHttp(destination.protocol)
        ? tracingChange(value, { proxy, suffix: `_OUTBOUND_${displayName(destination)}` })
        : {},
  }),
});
