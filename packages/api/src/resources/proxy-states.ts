import { type DataplaneInsightSpec, isOnline } from "@heddle/model/kinds/dataplane-insight.ts";
import { type DataplaneSpec, tagSets } from "@heddle/model/kinds/dataplane.ts";
import { LABEL } from "@heddle/model/labels.ts";
import { keyText, type Resource } from "@heddle/model/resource.ts";
import type { Reader } from "../ports.ts";
import { everything } from "./everything.ts";
import { type ProxyStatus, proxyStatus } from "./proxy-status.ts";

/** How many, and how many of them in which state. */
export interface Counts {
  readonly online: number;
  readonly offline: number;
  readonly partiallyDegraded: number;
  readonly total: number;
}

/** What insights count of a proxy. */
export interface ProxyState {
  readonly status: ProxyStatus;
  readonly gateway: "BUILTIN" | "DELEGATED" | undefined;
  /** `mesh/service` for each service it serves. */
  readonly services: readonly string[];
  readonly zone: string | undefined;
  /** Versions of launcher and Envoy, of its newest connection. */
  readonly launcher: string | undefined;
  readonly envoy: string | undefined;
  /** Who signed its certificate, and who could have. */
  readonly issuedBackend: string | undefined;
  readonly supportedBackends: readonly string[];
}

/** The proxies of all meshes, or of one. */
export async function proxyStates(read: Reader, mesh?: string): Promise<readonly ProxyState[]> {
  const insights = new Map<string, DataplaneInsightSpec>();
  for await (const insight of everything(read, "DataplaneInsight", mesh)) {
    insights.set(keyText({ ...insight, type: "Dataplane" }), insight.spec as DataplaneInsightSpec);
  }
  const states: ProxyState[] = [];
  for await (const proxy of everything(read, "Dataplane", mesh)) {
    states.push(stateOf(proxy, insights.get(keyText(proxy))));
  }
  return states;
}

function stateOf(proxy: Resource, insight: DataplaneInsightSpec | undefined): ProxyState {
  const spec = proxy.spec as DataplaneSpec;
  const { gateway } = spec.networking;
  const names = tagSets(spec).flatMap((tags) => tags[LABEL.service] ?? []);
  // Kuma 3.x has no tags; there the workload says what runs beside the proxy.
  const served = names.length > 0 ? names : [proxy.labels[LABEL.workload]].filter((name) => name !== undefined);
  const version = insight?.subscriptions?.at(-1)?.version;
  return {
    status: proxyStatus(spec, insight),
    gateway: gateway === undefined ? undefined : (gateway.type ?? "DELEGATED"),
    services: [...new Set(served)].map((name) => `${proxy.mesh}/${name}`),
    zone: proxy.labels[LABEL.zone],
    launcher: versionIn(version, "kumaDp"),
    envoy: versionIn(version, "envoy"),
    issuedBackend: isOnline(insight) ? insight?.mTLS?.issuedBackend : undefined,
    supportedBackends: isOnline(insight) ? (insight?.mTLS?.supportedBackends ?? []) : [],
  };
}

/** `{kumaDp: {version}, envoy: {version}}`, as the proxy sent it: it may be anything. */
function versionIn(sent: unknown, part: "kumaDp" | "envoy"): string | undefined {
  const version = (sent as Record<string, { version?: unknown } | undefined> | undefined)?.[part]?.version;
  return typeof version === "string" && version !== "" ? version : undefined;
}

/** Counts of a list by its states. */
export function counts(all: readonly { readonly status: ProxyStatus }[]): Counts {
  const of = (status: ProxyStatus): number => all.filter((each) => each.status === status).length;
  return {
    online: of("online"),
    offline: of("offline"),
    partiallyDegraded: of("partiallyDegraded"),
    total: all.length,
  };
}

/** A service and the proxies that serve it. */
export interface ServiceState {
  readonly mesh: string;
  readonly name: string;
  readonly status: ProxyStatus;
  readonly proxies: readonly ProxyState[];
}

/** A service is online when all its proxies are, offline when none is, degraded in between. */
export function serviceStates(proxies: readonly ProxyState[]): readonly ServiceState[] {
  const groups = new Map<string, ProxyState[]>();
  for (const proxy of proxies) {
    for (const name of proxy.services) {
      const group = groups.get(name) ?? [];
      group.push(proxy);
      groups.set(name, group);
    }
  }
  return [...groups].map(([key, group]) => {
    const slash = key.indexOf("/");
    return { mesh: key.slice(0, slash), name: key.slice(slash + 1), status: statusOf(group), proxies: group };
  });
}

function statusOf(proxies: readonly ProxyState[]): ProxyStatus {
  if (proxies.every(({ status }) => status === "online")) return "online";
  return proxies.every(({ status }) => status === "offline") ? "offline" : "partiallyDegraded";
}
