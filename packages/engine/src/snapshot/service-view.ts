import { isIP } from "node:net";
import { type Inbound, inboundName, inboundProtocol, type Protocol } from "@heddle/model/kinds/dataplane.ts";
import { type MeshServicePort, type MeshServiceSpec, servicePortName } from "@heddle/model/kinds/mesh-service.ts";
import { enabledBackend } from "@heddle/model/kinds/mesh.ts";
import { formatKri, kriOf } from "@heddle/model/kri.ts";
import { displayName, LABEL, type Labels, matchesLabels } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { viewExternalService } from "./external-view.ts";
import { viewMultiZoneService } from "./multi-zone-view.ts";
import { sniOf, viewOf } from "./view-of.ts";
import type { Destination, UpstreamTls } from "../plan/plan.ts";
import { identityOf, knownIdsOf, workloadIdsOf } from "./identity.ts";
import type { DataplaneEntry, MeshSnapshot } from "./snapshot.ts";

/** One instance of a service, as clients reach it. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
  readonly zone: string;
  /** Kuma 2.x inbound tags, else the labels of the proxy. */
  readonly tags: Labels;
  /** The labels of a proxy that has tags as well. */
  readonly labels?: Labels | undefined;
}

/** A service as its clients see it: destinations for each port, and who serves them now. */
export interface ServiceView {
  readonly key: string;
  /** By port number. A service tag has one entry, under 0. */
  readonly ports: ReadonlyMap<number, PortView>;
  /** Differs when clients need other clusters, not when instances come and go. */
  readonly hash: string;
}

export interface PortView {
  readonly destination: Destination;
  readonly endpoints: readonly Endpoint[];
}

/** Looks at a service through its clients' eyes; undefined when there is no such service. */
export function viewService(mesh: MeshSnapshot, key: string): ServiceView | undefined {
  const [type, name = ""] = key.split("/");
  switch (type) {
    case "Service":
      return viewServiceTag(mesh, name);
    case "MeshExternalService":
      return viewIfThere(mesh.externalServices.get(name), (resource) => viewExternalService(mesh, resource));
    case "MeshMultiZoneService":
      return viewIfThere(mesh.multiZoneServices.get(name), (resource) => viewMultiZoneService(mesh, resource));
    default:
      return viewIfThere(mesh.services.get(name), (resource) => viewMeshService(mesh, resource));
  }
}

function viewIfThere<Seen>(resource: Seen | undefined, view: (resource: Seen) => ServiceView): ServiceView | undefined {
  return resource === undefined ? undefined : view(resource);
}

function viewMeshService(mesh: MeshSnapshot, resource: Resource<MeshServiceSpec>): ServiceView {
  const members = instancesOf(mesh, `MeshService/${resource.name}`);
  const ports = (resource.spec.ports ?? []).map((port): [number, PortView] => {
    const serving = members.flatMap((entry) =>
      inboundsOf(entry, resource.spec, port).map((inbound) => ({ entry, inbound })),
    );
    const section = servicePortName(port);
    const destination: Destination = {
      key: formatKri(kriOf("msvc", resource, section)),
      kind: "MeshService",
      mesh: mesh.mesh.name,
      name: resource.name,
      kri: formatKri(kriOf("msvc", resource)),
      labels: { ...resource.labels, [LABEL.displayName]: displayName(resource) },
      section,
      port: port.port,
      tags: resource.spec.selector?.dataplaneTags ?? {},
      protocol: port.appProtocol ?? "tcp",
      tls: upstreamTls(mesh, members, identitiesOf(mesh, resource.spec, members), sniOf("msvc", resource, section)),
    };
    return [port.port, { destination, endpoints: endpointsOf(mesh, serving) }];
  });
  // Labels and age decide which of several services a reference by labels means.
  return viewOf(`MeshService/${resource.name}`, ports, [resource.labels, resource.creationTime]);
}

function viewServiceTag(mesh: MeshSnapshot, service: string): ServiceView | undefined {
  const members = instancesOf(mesh, `Service/${service}`);
  if (members.length === 0) return undefined;
  const serving = members.flatMap((entry) =>
    (entry.resource.spec.networking.inbound ?? [])
      .filter((inbound) => inbound.tags?.[LABEL.service] === service)
      .map((inbound) => ({ entry, inbound })),
  );
  const ids = members.flatMap((entry) => workloadIdsOf(mesh, entry));
  const own = enabledBackend(mesh.mesh.spec) === undefined ? [] : [`spiffe://${mesh.mesh.name}/${service}`];
  const identities = [...new Set([...own, ...ids])].toSorted();
  const destination: Destination = {
    key: service,
    kind: "Service",
    mesh: mesh.mesh.name,
    name: service,
    kri: "",
    labels: {},
    section: "",
    port: 0,
    tags: { [LABEL.service]: service },
    protocol: sharedProtocol(serving.map(({ inbound }) => inboundProtocol(inbound))),
    tls: upstreamTls(mesh, members, identities, service),
  };
  return viewOf(`Service/${service}`, [[0, { destination, endpoints: endpointsOf(mesh, serving) }]]);
}

/** The proxies that serve it, by name, so that the order in which they came does not show. */
function instancesOf(mesh: MeshSnapshot, key: string): readonly DataplaneEntry[] {
  return [...(mesh.instances.get(key) ?? [])].toSorted().flatMap((name) => mesh.dataplanes.get(name) ?? []);
}

function inboundsOf({ resource }: DataplaneEntry, spec: MeshServiceSpec, port: MeshServicePort): readonly Inbound[] {
  const target = port.targetPort ?? port.port;
  const tags = spec.selector?.dataplaneTags ?? {};
  return (resource.spec.networking.inbound ?? []).filter(
    (inbound) =>
      (typeof target === "number" ? inbound.port === target : inboundName(inbound) === target) &&
      matchesLabels(tags, inbound.tags ?? {}),
  );
}

type Serving = readonly { readonly entry: DataplaneEntry; readonly inbound: Inbound }[];

function endpointsOf(mesh: MeshSnapshot, serving: Serving): readonly Endpoint[] {
  return (
    serving
      .filter(({ entry, inbound }) => takesRequests(entry, inbound))
      .map(({ entry: { resource }, inbound }) => ({
        address: resource.spec.networking.advertisedAddress ?? inbound.address ?? resource.spec.networking.address,
        port: inbound.port,
        zone: inbound.tags?.[LABEL.zone] ?? resource.labels[LABEL.zone] ?? mesh.zone,
        tags: inbound.tags ?? resource.labels,
        ...(inbound.tags === undefined ? {} : { labels: resource.labels }),
      }))
      // Envoy takes addresses only: a host name that could not be resolved serves nobody until it can.
      .filter(({ address }) => isIP(address) !== 0)
      .toSorted((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : a.port - b.port))
  );
}

function takesRequests({ facts }: DataplaneEntry, inbound: Inbound): boolean {
  const declared = (inbound.state ?? "Ready") === "Ready" && inbound.health?.ready !== false;
  return declared && facts.online && facts.warm && !facts.leaving && !facts.unhealthy.includes(inbound.port);
}

// Clients of a service whose instances do not agree treat it as bytes: the one reading that is never wrong.
function sharedProtocol(protocols: readonly Protocol[]): Protocol {
  const [first = "tcp", ...others] = protocols;
  return others.every((other) => other === first) ? first : "tcp";
}

function identitiesOf(
  mesh: MeshSnapshot,
  spec: MeshServiceSpec,
  members: readonly DataplaneEntry[],
): readonly string[] {
  if (spec.identities !== undefined && spec.identities.length > 0) {
    return spec.identities.map((each) =>
      each.type === "SpiffeID" ? each.value : `spiffe://${mesh.mesh.name}/${each.value}`,
    );
  }
  return [...new Set(members.flatMap((entry) => knownIdsOf(mesh, entry)))].toSorted();
}

function upstreamTls(
  mesh: MeshSnapshot,
  members: readonly DataplaneEntry[],
  identities: readonly string[],
  sni: string,
): UpstreamTls | undefined {
  const owners = members.map((entry) => identityOf(mesh, entry.resource));
  const strict = enabledBackend(mesh.mesh.spec)?.mode !== "PERMISSIVE" && enabledBackend(mesh.mesh.spec) !== undefined;
  if (owners.length === 0) return strict ? { sni, identities } : undefined;
  // While a server may still speak plain text, its clients wait until every instance accepts mutual TLS.
  const ready = members.every(
    (entry, index) => owners[index]?.tls.mode === "strict" || (owners[index] && entry.facts.tlsReady),
  );
  return ready ? { sni, identities } : undefined;
}
