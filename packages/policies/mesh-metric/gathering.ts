import { isIP } from "node:net";
import { systemCluster, systemName } from "@heddle/engine/emit/system-cluster.ts";
import { applicationAt } from "@heddle/engine/plan/base-plan.ts";
import type { ProxyFacts } from "@heddle/engine/proxy-facts.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { LABEL } from "@heddle/model/labels.ts";
import { automatonOf } from "./automaton.ts";
import { pipeCluster } from "./pipe-cluster.ts";
import type { ApplicationConf, MetricConf, SelectorConf, SidecarConf } from "./schema.ts";
import { luaAutomaton, type LuaValue } from "./script.ts";

/** What scripts gather, as they read it, and the clusters behind it. */
export interface Gathering {
  readonly conf: { readonly [key: string]: LuaValue };
  readonly clusters: readonly EncodedResource[];
}

/** Whence metrics come and which of them count; undefined when the proxy does not say where its Envoy can be asked. */
export function gatheringOf({ sidecar = {}, applications = [] }: MetricConf, proxy: ProxyFacts): Gathering | undefined {
  const envoy = envoySource(sidecar, proxy);
  if (envoy === undefined) return undefined;
  const { exclude = [], include = [] } = sidecar.profiles ?? {};
  // A proxy that only stands between zones has no application.
  const others = isForTraffic(proxy) ? [] : applications.map((each) => applicationSource(each, proxy));
  const sources = [envoy, ...others];
  return {
    conf: {
      profile: broadest(sidecar),
      exclude: exclude.map(selectorValue),
      include: include.map(selectorValue),
      sources: sources.map(({ source }) => source),
    },
    clusters: sources.map(({ cluster }) => cluster),
  };
}

interface Source {
  readonly source: LuaValue;
  readonly cluster: EncodedResource;
}

function envoySource({ includeUnused = false }: SidecarConf, { node: { admin } }: ProxyFacts): Source | undefined {
  if (admin === undefined) return undefined;
  const name = "system_meshmetric_envoy";
  const cluster =
    admin.kind === "socket"
      ? pipeCluster(name, { path: admin.path })
      : systemCluster(name, { address: admin.address, port: admin.port, http2: false });
  const path = `/stats?format=prometheus&text_readouts${includeUnused ? "" : "&usedonly"}`;
  return { source: { name: "Envoy", isEnvoy: true, cluster: name, path, authority: "envoy" }, cluster };
}

function applicationSource(application: ApplicationConf, proxy: ProxyFacts): Source {
  const { name, path = "/metrics", port } = application;
  const address = application.address ?? addressOf(port, proxy);
  const authority = isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
  const cluster = systemName("meshmetric_application", `${address}-${port}`);
  const called = name === undefined ? "an application" : `application ${name}`;
  return {
    source: { name: called, cluster, path, authority },
    cluster: systemCluster(cluster, { address, port, http2: false }),
  };
}

// At a port of its own the proxy would ask itself, and with mutual TLS be refused.
function addressOf(port: number, { resource: { spec } }: ProxyFacts): string {
  const { address, inbound = [] } = spec.networking;
  const served = inbound.map(applicationAt).find((each) => each.port === port);
  return served?.address ?? address;
}

function isForTraffic({ resource: { spec } }: ProxyFacts): boolean {
  const { inbound = [], listeners = [] } = spec.networking;
  return inbound.length === 0 && listeners.length > 0;
}

const BROADEST_FIRST = ["All", "Basic", "None"] as const;

function broadest({ profiles }: SidecarConf): string {
  const named = new Set((profiles?.appendProfiles ?? []).map(({ name }) => name));
  return BROADEST_FIRST.find((name) => named.has(name)) ?? "Basic";
}

function selectorValue({ type, match }: SelectorConf): LuaValue {
  if (type !== "Regex") return { type, match };
  const automaton = automatonOf(match);
  // Refused when it was written; what is in a store all the same selects nothing, as with Kuma.
  if (typeof automaton === "string") return { type, automaton: { classes: {}, states: [], final: [] } };
  return { type, automaton: luaAutomaton(automaton) };
}

/** What every metric says of where it is from, in Kuma's words. */
export function ourLabels({ resource, mesh, zone }: ProxyFacts): readonly (readonly [string, string])[] {
  const workload = resource.labels[LABEL.workload];
  return [
    ["mesh", mesh.name],
    ...(zone === "" ? [] : ([["zone", zone]] as const)),
    ["kuma.proxy_role", roleOf(resource.spec.networking)],
    ...(workload === undefined ? [] : ([["kuma.workload", workload]] as const)),
  ];
}

function roleOf({ listeners = [] }: ProxyFacts["resource"]["spec"]["networking"]): string {
  const types = new Set(listeners.map(({ type }) => type));
  if (types.has("ZoneIngress")) return types.has("ZoneEgress") ? "zone-proxy" : "zone-ingress";
  return types.has("ZoneEgress") ? "zone-egress" : "sidecar";
}
