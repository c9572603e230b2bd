import { canonicalJson, contentHash } from "@heddle/model/canonical-json.ts";
import { displayName, LABEL, type Labels, matchesLabels } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { ObjectMemo } from "../memo.ts";
import type { BackendReference } from "../policy.ts";
import type { Endpoint, PortView } from "../snapshot/service-view.ts";
import { serviceTags } from "../snapshot/legacy.ts";
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
    case "MeshExternalService":
      return byKind(mesh, mesh.externalServices, reference);
    case "MeshMultiZoneService":
      return byKind(mesh, mesh.multiZoneServices, reference);
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
  return subsetEndpoints.get(endpoints, destination.key, () =>
    endpoints.filter((endpoint) => matchesLabels(destination.tags, endpoint.tags)),
  );
}

// All who call a subset ask for its instances, with every change of them.
const subsetEndpoints = new ObjectMemo<readonly Endpoint[], readonly Endpoint[]>();

type Stored = ReadonlyMap<string, Resource>;

/** Services that are only ever what a resource says: no tag stands for them. */
function byKind(mesh: MeshSnapshot, stored: Stored, reference: BackendReference): Resolution {
  const { kind, name, labels = { [LABEL.displayName]: name ?? "" } } = reference;
  const found = (name === undefined ? undefined : stored.get(name)) ?? oldestWith(stored, labels);
  const ports = found === undefined ? undefined : mesh.views.get(`${kind}/${found.name}`)?.ports;
  // A service outside of the mesh has one port, which callers need not name.
  const port = portOf(ports, kind === "MeshExternalService" ? { kind } : reference);
  const others = found === undefined || found.name !== name ? [`${kind}/*`] : [];
  return { destination: port?.destination, dependsOn: [`${kind}/${name ?? "*"}`, ...others] };
}

function byName(mesh: MeshSnapshot, reference: BackendReference): Resolution {
  const name = reference.name ?? "";
  const isStored = mesh.services.has(name);
  const own = ownKeys.get(reference, "", () => [`MeshService/${name}`]);
  const [key = ""] = isStored ? own : [`MeshService/${oldestWith(mesh.services, { [LABEL.displayName]: name })?.name}`];
  const port = portOf(mesh.views.get(key)?.ports, reference);
  if (isStored && port !== undefined) return { destination: port.destination, dependsOn: own };
  // Kuma 2.x: a MeshService that is no resource is the service tag of that name.
  const tagged = port === undefined ? byTags(mesh, { [LABEL.service]: name }) : undefined;
  const destination = port?.destination ?? tagged?.destination;
  // Without a service of exactly this name, any service may come to have it as its display name.
  const others = isStored ? [] : ["MeshService/*"];
  return { destination, dependsOn: [`MeshService/${name}`, ...(tagged?.dependsOn ?? [`Service/${name}`]), ...others] };
}

// References are looked up again and again, with every change of a policy for every proxy.
const ownKeys = new ObjectMemo<BackendReference, readonly string[]>();

function byLabels(mesh: MeshSnapshot, reference: BackendReference): Resolution {
  const oldest = oldestWith(mesh.services, reference.labels ?? {});
  const port =
    oldest === undefined ? undefined : portOf(mesh.views.get(`MeshService/${oldest.name}`)?.ports, reference);
  return { destination: port?.destination, dependsOn: ["MeshService/*"] };
}

const oldest = new ObjectMemo<Stored, Resource | undefined>();

// Several services may carry the labels; the oldest one is meant, so that a newcomer cannot take traffic over.
function oldestWith(services: Stored, labels: Labels): Resource | undefined {
  return oldest.get(services, canonicalJson(labels), () => {
    const found = [...services.values()].filter((service) =>
      matchesLabels(labels, { ...service.labels, [LABEL.displayName]: displayName(service) }),
    );
    return found.toSorted(byAge)[0];
  });
}

function byTags(mesh: MeshSnapshot, tags: Labels): Resolution {
  const service = tags[LABEL.service] ?? "";
  const whole = mesh.views.get(`Service/${service}`)?.ports.get(0)?.destination;
  const dependsOn = [`Service/${service}`];
  if (whole === undefined) return outsideByTags(mesh, tags, dependsOn);
  if (Object.keys(tags).length === 1) return { destination: whole, dependsOn };
  const key = contentHash(tags);
  return {
    destination: subsets.get(whole, key, () => ({ ...whole, key: `${service}-${key}`, tags })),
    dependsOn,
  };
}

/** Kuma 2.x: an ExternalService is called by its tags. */
function outsideByTags(mesh: MeshSnapshot, tags: Labels, dependsOn: readonly string[]): Resolution {
  const found = taggedServices
    .get(mesh.externalServices, "", () =>
      [...mesh.externalServices.values()].filter((each) => LABEL.service in serviceTags(each)),
    )
    .filter((each) => matchesLabels(tags, serviceTags(each)))
    .toSorted(byAge)[0];
  const view = found === undefined ? undefined : mesh.views.get(`MeshExternalService/${found.name}`);
  const [port] = view?.ports.values() ?? [];
  return { destination: port?.destination, dependsOn: [...dependsOn, "MeshExternalService/*"] };
}

const taggedServices = new ObjectMemo<MeshSnapshot["externalServices"], readonly Resource[]>();

// One object for a subset as long as its service stays the same, as for all other destinations.
const subsets = new ObjectMemo<Destination, Destination>();

function portOf(
  ports: ReadonlyMap<number, PortView> | undefined,
  { port, sectionName }: BackendReference,
): PortView | undefined {
  if (ports === undefined) return undefined;
  if (sectionName === undefined && port !== undefined) return ports.get(port) ?? bySection(ports, String(port));
  if (sectionName !== undefined) return bySection(ports, sectionName);
  return ports.size === 1 ? [...ports.values()][0] : undefined;
}

function bySection(ports: ReadonlyMap<number, PortView>, section: string): PortView | undefined {
  const views = [...ports.values()];
  const named = views.find(({ destination }) => destination.section === section);
  return named ?? views.find(({ destination }) => String(destination.port) === section);
}

function byAge(a: Resource, b: Resource): number {
  return compare(a.creationTime, b.creationTime) || compare(a.name, b.name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
