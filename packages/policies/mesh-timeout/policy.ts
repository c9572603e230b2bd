import { isHttp } from "@heddle/engine/emit/common.ts";
import { callersOf } from "@heddle/engine/match/callers.ts";
import type { Change, RouteSettings } from "@heddle/engine/plan/plan.ts";
import { definePolicy } from "@heddle/engine/policy.ts";
import { toMillis } from "@heddle/model/duration.ts";
import type { Protocol } from "@heddle/model/kinds/dataplane.ts";
import { meshTimeoutKind, type TimeoutConf } from "./schema.ts";

/** How long connections and requests may take, on the way out (`to`) and on the way in (`rules`, or Kuma 2.x `from`). */
export const meshTimeout = definePolicy<TimeoutConf, TimeoutConf>({
  kind: meshTimeoutKind,
  outbound: (conf, { protocol }) => changeFor(conf, protocol),
  inbound: (rules, { protocol }) => ({
    ...changeFor(rules.everyone?.value ?? {}, protocol),
    callers: isHttp(protocol) ? callersOf(rules).map(({ match, conf }) => ({ match, route: perRequest(conf) })) : [],
  }),
});

// Where requests are read, everything but the headers' timeout is said in clusters and routes, so that a new timeout
// never touches a listener: Envoy drains a listener's connections to change it.
function changeFor({ connectionTimeout, idleTimeout, http }: TimeoutConf, protocol: Protocol): Change {
  const connectTimeout = toMillis(connectionTimeout);
  const idle = toMillis(idleTimeout);
  if (!isHttp(protocol)) return { cluster: { connectTimeout }, connection: { idleTimeout: idle } };
  const maxConnectionDuration = toMillis(http?.maxConnectionDuration);
  const maxStreamDuration = toMillis(http?.maxStreamDuration);
  return {
    cluster: { connectTimeout, idleTimeout: idle, maxConnectionDuration, maxStreamDuration },
    connection: { requestHeadersTimeout: toMillis(http?.requestHeadersTimeout) },
    route: perRequest({ http }),
  };
}

function perRequest({ http }: TimeoutConf): RouteSettings {
  const set = {
    timeout: toMillis(http?.requestTimeout),
    idleTimeout: toMillis(http?.streamIdleTimeout),
    maxStreamDuration: toMillis(http?.maxStreamDuration),
  };
  return Object.fromEntries(Object.entries(set).filter(([, millis]) => millis !== undefined));
}
