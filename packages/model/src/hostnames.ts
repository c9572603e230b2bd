import { type Rendered, renderHostname } from "./hostname-template.ts";
import type { HostnameGeneratorSpec } from "./kinds/hostname-generator.ts";
import { displayName, LABEL, matchesLabels } from "./labels.ts";
import type { Resource } from "./resource.ts";

export type Generator = Resource<HostnameGeneratorSpec>;

/** Kinds of services that have host names and virtual addresses. */
export const NAMED_KINDS = ["MeshService", "MeshExternalService", "MeshMultiZoneService"] as const;
export type NamedKind = (typeof NAMED_KINDS)[number];

const SELECTORS: Readonly<Record<NamedKind, keyof HostnameGeneratorSpec["selector"]>> = {
  MeshService: "meshService",
  MeshExternalService: "meshExternalService",
  MeshMultiZoneService: "meshMultiZoneService",
};

/** Whether resources of this type have host names and virtual addresses. */
export function isNamedKind(type: string): type is NamedKind {
  return Object.hasOwn(SELECTORS, type);
}

/** The name that a generator gives to a service, or why it cannot; undefined when it is for others. */
export function hostnameBy(
  { spec }: Pick<Generator, "spec">,
  service: Pick<Resource, "type" | "mesh" | "name" | "labels">,
  zone: string,
): Rendered | undefined {
  const selector = isNamedKind(service.type) ? spec.selector[SELECTORS[service.type]] : undefined;
  const { labels, mesh, name } = service;
  if (selector === undefined || !matchesLabels(selector.matchLabels ?? {}, labels)) return undefined;
  return renderHostname(spec.template, {
    name,
    displayName: displayName(service),
    namespace: labels[LABEL.namespace] ?? "",
    mesh,
    zone: labels[LABEL.zone] ?? zone,
    labels,
  });
}

/** A host name of a service. */
export interface Address {
  readonly hostname: string;
  readonly origin: "HostnameGenerator";
  readonly hostnameGeneratorRef: { readonly coreName: string };
}

export interface Condition {
  readonly type: string;
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

/** What became of a service's host names. */
export interface Hostnames {
  readonly addresses: readonly Address[];
  readonly hostnameGenerators: readonly {
    readonly hostnameGeneratorRef: { readonly coreName: string };
    readonly conditions: readonly Condition[];
  }[];
}

/**
 * The host names of all services, in the order of `services`. Generators of the own zone come first, then the older one;
 * when two services of a mesh would have the same name, the first to get it keeps it: the older one of a generator's.
 */
export function allHostnames(
  generators: readonly Generator[],
  services: readonly Resource[],
  zone: string,
): readonly Hostnames[] {
  const taken = new Map<string, Resource>();
  const said = new Map<Resource, Map<string, Said>>(services.map((service) => [service, new Map()]));
  const oldestFirst = services.toSorted(byAge);
  for (const generator of generators.toSorted(byOrigin)) {
    for (const service of oldestFirst) {
      const rendered = hostnameBy(generator, service, zone);
      if (rendered !== undefined) said.get(service)?.set(generator.name, take(taken, service, rendered));
    }
  }
  return services.map((service) => hostnamesOf(said.get(service) ?? new Map<string, Said>()));
}

interface Said {
  readonly hostname?: string;
  readonly condition: Condition;
}

function take(taken: Map<string, Resource>, service: Resource, rendered: Rendered): Said {
  if (!rendered.ok) return { condition: failed("TemplateError", rendered.problem) };
  const { hostname } = rendered;
  const key = `${service.mesh} ${hostname}`;
  const owner = taken.get(key) ?? service;
  if (owner !== service)
    return { condition: failed("Collision", `Hostname collision with ${owner.type}: ${owner.name}`) };
  taken.set(key, service);
  return { hostname, condition: { type: "Generated", status: "True", reason: "Generated", message: "" } };
}

function failed(reason: string, message: string): Condition {
  return { type: "Generated", status: "False", reason, message };
}

function hostnamesOf(said: ReadonlyMap<string, Said>): Hostnames {
  const sorted = [...said].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    addresses: sorted.flatMap(([coreName, { hostname }]): Address[] =>
      hostname === undefined ? [] : [{ hostname, origin: "HostnameGenerator", hostnameGeneratorRef: { coreName } }],
    ),
    hostnameGenerators: sorted.map(([coreName, { condition }]) => ({
      hostnameGeneratorRef: { coreName },
      conditions: [condition],
    })),
  };
}

function byOrigin(a: Generator, b: Generator): number {
  const isForeign = ({ labels }: Generator): number => Number(labels[LABEL.origin] !== "zone");
  return isForeign(a) - isForeign(b) || byAge(a, b);
}

function byAge(a: Resource, b: Resource): number {
  const key = ({ creationTime, name, type }: Resource): string => `${creationTime} ${name} ${type}`;
  return key(a) < key(b) ? -1 : 1;
}
