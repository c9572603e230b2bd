import { type Inbound, inboundName } from "@heddle/model/kinds/dataplane.ts";
import { displayName, LABEL, matchesLabels } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { TargetRef } from "@heddle/model/target-ref.ts";
import type { DataplaneEntry, MeshSnapshot } from "../snapshot/snapshot.ts";
import type { PolicySpec } from "./precedence.ts";

/** The inbounds of a proxy that a policy reaches, by name; "all" includes proxies that have none. */
export type Reach = "all" | ReadonlySet<string>;

/** What a policy reaches of a proxy by its top targetRef; undefined when it does not select the proxy. */
export function reachOf(
  policy: Resource<PolicySpec>,
  mesh: MeshSnapshot,
  proxy: DataplaneEntry["resource"],
): Reach | undefined {
  if (!isInScope(policy, mesh, proxy)) return undefined;
  const ref: TargetRef = policy.spec.targetRef ?? { kind: "Mesh" };
  switch (ref.kind) {
    case "Mesh":
      return ref.proxyTypes === undefined || ref.proxyTypes.includes(proxyType(proxy)) ? "all" : undefined;
    case "Dataplane":
      return reachOfDataplane(ref, proxy);
    case "MeshSubset":
      return reachOfTags(ref.tags ?? {}, ref, proxy);
    case "MeshService":
    case "MeshServiceSubset":
      return reachOfTags({ ...ref.tags, [LABEL.service]: ref.name ?? "" }, ref, proxy);
    case "MeshHTTPRoute":
      return reachOfRoute(ref, mesh, proxy);
    case "MeshGateway":
    case "MeshExternalService":
    case "MeshMultiZoneService":
      return undefined;
  }
}

/** Shadow policies are only ever looked at on request; zones and namespaces bound the rest. */
function isInScope(policy: Resource, mesh: MeshSnapshot, proxy: DataplaneEntry["resource"]): boolean {
  const { labels } = policy;
  if (labels[LABEL.effect] === "shadow") return false;
  const role = labels[LABEL.policyRole];
  const zone = labels[LABEL.zone];
  const local = labels[LABEL.origin] === "zone" && role !== "producer" && zone !== undefined;
  if (local && zone !== (proxy.labels[LABEL.zone] ?? mesh.zone)) return false;
  if (role !== "consumer" && role !== "workload-owner") return true;
  return labels[LABEL.namespace] === proxy.labels[LABEL.namespace];
}

// Kuma 2.x: such a policy selects whom the route selects.
function reachOfRoute(ref: TargetRef, mesh: MeshSnapshot, proxy: DataplaneEntry["resource"]): Reach | undefined {
  const routes = (mesh.policies.get(ref.kind) ?? []).filter((route) =>
    ref.name === undefined
      ? matchesLabels(ref.labels ?? {}, { ...route.labels, [LABEL.displayName]: displayName(route) })
      : ref.name === displayName(route),
  );
  return routes.some((route) => reachOf(route, mesh, proxy) !== undefined) ? "all" : undefined;
}

function reachOfDataplane(ref: TargetRef, proxy: DataplaneEntry["resource"]): Reach | undefined {
  if (ref.name !== undefined && ref.name !== displayName(proxy)) return undefined;
  if (ref.labels !== undefined && !matchesLabels(ref.labels, labelsOf(proxy))) return undefined;
  if (ref.sectionName === undefined) return "all";
  return namesOf(
    proxy,
    (inbound) => inboundName(inbound) === ref.sectionName || String(inbound.port) === ref.sectionName,
  );
}

// A Kuma 3.x proxy has labels instead of tags, so labels stand in for the tags it does not have.
function reachOfTags(
  tags: TargetRef["tags"] & {},
  ref: TargetRef,
  proxy: DataplaneEntry["resource"],
): Reach | undefined {
  if (ref.proxyTypes !== undefined && !ref.proxyTypes.includes(proxyType(proxy))) return undefined;
  const gateway = proxy.spec.networking.gateway;
  if (gateway !== undefined) return matchesLabels(tags, gateway.tags ?? {}) ? "all" : undefined;
  const inbounds = proxy.spec.networking.inbound ?? [];
  if (inbounds.length === 0) return matchesLabels(tags, labelsOf(proxy)) ? "all" : undefined;
  return namesOf(proxy, (inbound) => matchesLabels(tags, inbound.tags ?? labelsOf(proxy)));
}

function namesOf(proxy: DataplaneEntry["resource"], keep: (inbound: Inbound) => boolean): Reach | undefined {
  const names = (proxy.spec.networking.inbound ?? []).filter(keep).map(inboundName);
  return names.length === 0 ? undefined : new Set(names);
}

function labelsOf(proxy: DataplaneEntry["resource"]): DataplaneEntry["resource"]["labels"] {
  return { ...proxy.labels, [LABEL.displayName]: displayName(proxy) };
}

function proxyType(proxy: DataplaneEntry["resource"]): "Sidecar" | "Gateway" {
  return proxy.spec.networking.gateway === undefined ? "Sidecar" : "Gateway";
}
