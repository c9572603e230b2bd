import { servicePortName } from "@heddle/model/kinds/mesh-service.ts";
import type { MeshMultiZoneServiceSpec } from "@heddle/model/kinds/mesh-multi-zone-service.ts";
import { formatKri, kriOf } from "@heddle/model/kri.ts";
import { displayName, LABEL, matchesLabels } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { Destination, UpstreamTls } from "../plan/plan.ts";
import type { PortView, ServiceView } from "./service-view.ts";
import type { MeshSnapshot } from "./snapshot.ts";
import { sniOf, viewOf } from "./view-of.ts";

/** Looks at several MeshServices that are one to their clients. Their own views must be up to date. */
export function viewMultiZoneService(mesh: MeshSnapshot, resource: Resource<MeshMultiZoneServiceSpec>): ServiceView {
  const views = [...mesh.services.values()]
    .filter((service) => selectsService(resource, service))
    .map(({ name }) => name)
    .toSorted()
    .flatMap((name) => mesh.views.get(`MeshService/${name}`) ?? []);
  const kri = formatKri(kriOf("mzsvc", resource));
  const ports = resource.spec.ports.map((port) => {
    const section = servicePortName(port);
    const serving = views.flatMap((view) => view.ports.get(port.port) ?? []);
    const destination: Destination = {
      key: `${kri}${section}`,
      kind: "MeshMultiZoneService",
      mesh: mesh.mesh.name,
      name: resource.name,
      kri,
      labels: { ...resource.labels, [LABEL.displayName]: displayName(resource) },
      section,
      port: port.port,
      tags: {},
      protocol: port.appProtocol ?? "tcp",
      tls: sharedTls(serving, sniOf("mzsvc", resource, section)),
    };
    return [port.port, { destination, endpoints: endpointsOf(serving) }] as const;
  });
  return viewOf(`MeshMultiZoneService/${resource.name}`, ports, [resource.labels, resource.creationTime]);
}

/** Whether a MeshService is one of those that a MeshMultiZoneService stands for. */
export function selectsService(
  { spec }: Resource<MeshMultiZoneServiceSpec>,
  service: Pick<Resource, "labels" | "name">,
): boolean {
  const { matchLabels } = spec.selector.meshService;
  return matchesLabels(matchLabels, { ...service.labels, [LABEL.displayName]: displayName(service) });
}

// An instance that serves two of the services is still one.
function endpointsOf(serving: readonly PortView[]): PortView["endpoints"] {
  const all = serving.flatMap(({ endpoints }) => endpoints);
  const places = new Map(all.map((endpoint) => [`${endpoint.address} ${endpoint.port}`, endpoint]));
  return [...places.values()].toSorted((a, b) =>
    a.address < b.address ? -1 : a.address > b.address ? 1 : a.port - b.port,
  );
}

/** Mutual TLS once all services take it: until then a plain connection is what each of them accepts. */
function sharedTls(serving: readonly PortView[], sni: string): UpstreamTls | undefined {
  const each = serving.map(({ destination }) => destination.tls);
  const ready = each.filter((tls) => tls !== undefined);
  if (ready.length === 0 || ready.length < each.length) return undefined;
  // One service that takes any identity of the mesh makes that true of them all.
  const isOpen = ready.some(({ identities }) => identities.length === 0);
  const identities = isOpen ? [] : [...new Set(ready.flatMap((tls) => tls.identities))].toSorted();
  return { sni, identities };
}
