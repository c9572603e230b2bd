import { contentHash } from "@heddle/model/canonical-json.ts";
import { displayName, LABEL, matchesLabels } from "@heddle/model/labels.ts";
import type { BackendReference } from "../policy.ts";
import type { Endpoint, PortView } from "../snapshot/service-view.ts";
import type { MeshSnapshot } from "../snapshot/snapshot.ts";
import type { Destination } from "./plan.ts";

/** What a lookup found, and which services it depends on: when one of those changes, the answer may too. */
export interface Resolution {
  readonly destination: Destination | undefined;
  /** Service keys; "MeshService/*" when any service may change the answer. */
  readonly dependsOn: readonly string[];
}

/** Finds the destination that a reference of a proxy or a policy names. */
export function resolveBackend(mesh: MeshSnapshot, reference: BackendReference): Resolution {
  switch (reference.kind) {
    case "MeshService":
      return reference.labels === undefined ? byName(mesh, reference) : byLabels(mesh, reference);
    case "MeshServiceSubset":
    case "Service":
      return byTags(mesh, {
        ...reference.tags,
        ...(reference.name === undefined ? {} : { [LABEL.service]: reference.name }),
      });
    default:
      return { destination: undefined, dependsOn: [] };
  }
}

/** The key of the service that a destination belongs to. */
export function serviceKey(destination: Destination): string {
  return `${destination.kind}/${destination.name}`;
}

/** Who serves a destination now. */
export function endpointsOf(mesh: MeshSnapshot, destination: Destination): readonly Endpoint[] {
  const endpoints = mesh.views.get(serviceKey(destination))?.ports.get(destination.port)?.endpoints ?? [];
  if (destination.kind !== "Service" || Object.keys(destination.tags).length === 1) return endpoints;
  return endpoints.filter((endpoint) => matchesLabels(destination.tags, endpoint.tags));
}

function byName(mesh: MeshSnapshot, reference: BackendReference): Resolution {
  const name = reference.name ?? "";
  const stored = mesh.services.has(name)
    ? name
    : [...mesh.services.values()].find((service) => displayName(service) === name)?.name;
  const port = portOf(mesh.views.get(`MeshService/${stored ?? name}`)?.ports, reference);
  if (port !== undefined) return { destination: port.destination, dependsOn: [`MeshService/${stored ?? name}`] };
  // Kuma 2.x: a MeshService that is no resource is the service tag of that name.
  const tagged = mesh.views.get(`Service/${name}`)?.ports.get(0);
  return { destination: tagged?.destination, dependsOn: [`MeshService/${name}`, `Service/${name}`] };
}

// Several services may carry the labels; the oldest one is meant, so that a newcomer cannot take traffic over.
function byLabels(mesh: MeshSnapshot, reference: BackendReference): Resolution {
  const [oldest] = [...mesh.services.values()]
    .filter((service) =>
      matchesLabels(reference.labels ?? {}, { ...service.labels, [LABEL.displayName]: displayName(service) }),
    )
    .toSorted((a, b) => compare(a.creationTime, b.creationTime) || compare(a.name, b.name));
  const port =
    oldest === undefined ? undefined : portOf(mesh.views.get(`MeshService/${oldest.name}`)?.ports, reference);
  return { destination: port?.destination, dependsOn: ["MeshService/*"] };
}

function byTags(mesh: MeshSnapshot, tags: Readonly<Record<string, string>>): Resolution {
  const service = tags[LABEL.service] ?? "";
  const whole = mesh.views.get(`Service/${service}`)?.ports.get(0)?.destination;
  const dependsOn = [`Service/${service}`];
  if (whole === undefined || Object.keys(tags).length === 1) return { destination: whole, dependsOn };
  return { destination: { ...whole, key: `${service}-${contentHash(tags)}`, tags }, dependsOn };
}

function portOf(ports: ReadonlyMap<number, PortView> | undefined, reference: BackendReference): PortView | undefined {
  const section = reference.sectionName ?? (reference.port === undefined ? undefined : String(reference.port));
  if (ports === undefined) return undefined;
  if (section === undefined) return ports.size === 1 ? [...ports.values()][0] : undefined;
  return [...ports.values()].find(
    ({ destination }) => destination.section === section || String(destination.port) === section,
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
