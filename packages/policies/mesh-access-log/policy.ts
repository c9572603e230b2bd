import { isIP } from "node:net";
import { isHttp } from "@heddle/engine/emit/common.ts";
import type { AccessLog, Change, Destination, InboundPlan } from "@heddle/engine/plan/plan.ts";
import { definePolicy, type InboundRules } from "@heddle/engine/policy.ts";
import { type ProxyFacts, serviceOf } from "@heddle/engine/proxy-facts.ts";
import { formatKri, kriOf } from "@heddle/model/kri.ts";
import { displayName, LABEL } from "@heddle/model/labels.ts";
import type { Match } from "@heddle/model/target-ref.ts";
import type { KumaValues } from "./format.ts";
import { meshAccessLogKind } from "./kind.ts";
import { logsFor, type Place } from "./logs.ts";
import type { AccessLogConf } from "./schema.ts";

/** Where requests and connections are written, and how. */
export const meshAccessLog = definePolicy<AccessLogConf, AccessLogConf>({
  kind: meshAccessLogKind,
  // Lines tell of the proxy, and lines for TCP go into a pipe of its own.
  readsProxy: true,
  outbound: ({ backends }, destination, proxy): Change => logsFor(backends, outboundPlace(destination, proxy)),
  inbound: (rules, inbound, proxy): Change => {
    const place = inboundPlace(inbound, proxy);
    const shared = logsFor(rules.everyone?.value.backends ?? [], place);
    // Each rule is for itself: what several of them mean is written as often.
    const own = forCallers(rules).map(({ callers, backends }) => {
      const { accessLogs, resources } = logsFor(backends, place);
      return { accessLogs: accessLogs.map((log): AccessLog => ({ ...log, callers })), resources };
    });
    return {
      accessLogs: [...shared.accessLogs, ...own.flatMap(({ accessLogs }) => accessLogs)],
      resources: [...shared.resources, ...own.flatMap(({ resources }) => resources)],
    };
  },
});

interface ForCallers {
  readonly callers: readonly Match[];
  readonly backends: AccessLogConf["backends"];
}

/** Rules for some callers: of several that match the same, the strongest counts. */
function forCallers({ rules }: InboundRules<AccessLogConf>): readonly ForCallers[] {
  const byMatch = new Map<string, { readonly match: Match; readonly conf: AccessLogConf }>();
  for (const { client, conf } of rules) {
    for (const match of client?.by === "matches" ? client.matches : [])
      byMatch.set(JSON.stringify(match), { match, conf });
  }
  const groups = Map.groupBy(byMatch.values(), ({ conf }) => JSON.stringify(conf.backends));
  return [...groups.values()].map((group) => ({
    callers: group.map(({ match }) => match),
    backends: group[0]?.conf.backends ?? [],
  }));
}

// Who calls is not known by its service: Kuma writes "unknown", and %DOWNSTREAM_PEER_URI_SAN% tells.
function inboundPlace(inbound: InboundPlan, proxy: ProxyFacts): Place {
  const KUMA_DESTINATION_SERVICE = inbound.tags[LABEL.service] ?? serviceOf(proxy);
  const values = {
    ...valuesOf(proxy),
    KUMA_SOURCE_SERVICE: "unknown",
    KUMA_DESTINATION_SERVICE,
    KUMA_TRAFFIC_DIRECTION: "INBOUND",
  };
  return { proxy, values, isHttp: isHttp(inbound.protocol) };
}

function outboundPlace(destination: Destination, proxy: ProxyFacts): Place {
  const values = {
    ...valuesOf(proxy),
    KUMA_SOURCE_SERVICE: serviceOf(proxy),
    KUMA_DESTINATION_SERVICE: displayName(destination),
    KUMA_TRAFFIC_DIRECTION: "OUTBOUND",
  };
  return { proxy, values, isHttp: isHttp(destination.protocol) };
}

type OfProxy = Omit<KumaValues, "KUMA_SOURCE_SERVICE" | "KUMA_DESTINATION_SERVICE" | "KUMA_TRAFFIC_DIRECTION">;

function valuesOf({ resource, zone }: ProxyFacts): OfProxy {
  const { address } = resource.spec.networking;
  const workload = resource.labels[LABEL.workload];
  const labels = { ...resource.labels, [LABEL.zone]: zone, [LABEL.displayName]: workload ?? "" };
  return {
    KUMA_MESH: resource.mesh,
    KUMA_ZONE: zone,
    KUMA_WORKLOAD: workload === undefined ? "" : formatKri(kriOf("wl", { ...resource, labels })),
    KUMA_SOURCE_ADDRESS: isIP(address) === 6 ? `[${address}]:0` : `${address}:0`,
    KUMA_SOURCE_ADDRESS_WITHOUT_PORT: address,
  };
}
