import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { LABEL, type Labels } from "@heddle/model/labels.ts";
import type { InboundUnit, OutboundUnit } from "./compile.ts";
import type { PassthroughUnit } from "./compile-passthrough.ts";
import type { Whole } from "./compile-proxy.ts";
import type { Destination, InboundPlan, OutboundPlan, ResourceFacts } from "./plan/plan.ts";
import type { FactsOf } from "./policy.ts";
import type { DataplaneEntry } from "./snapshot/snapshot.ts";

interface Parts {
  readonly proxy: DataplaneEntry["resource"];
  readonly inbounds: readonly InboundUnit[];
  readonly outbounds: readonly OutboundUnit[];
  readonly passthrough: PassthroughUnit;
  readonly whole: Whole;
}

/** What is known of a proxy's resources, for policies that change resources. */
export function resourceFacts({ proxy, inbounds, outbounds, passthrough, whole }: Parts): FactsOf {
  const known = new Map<string, ResourceFacts>();
  const note = (resources: readonly EncodedResource[], factsOf: FactsOf): void => {
    for (const resource of resources) {
      const facts = factsOf(resource);
      if (facts !== undefined) known.set(idOf(resource), facts);
    }
  };
  for (const { kind, resources } of whole.units) note(resources, () => ownFacts(originOfKind(kind)));
  note(passthrough.resources, passthroughFacts);
  for (const { plan, resources } of outbounds) note(resources, (each) => outboundFacts(plan, each));
  for (const { resources, destinations } of outbounds) note(resources, (each) => clusterFacts(destinations, each));
  for (const { plan, resources } of inbounds) note(resources, (each) => inboundFacts(plan, proxy.labels, each));
  for (const { plan } of [...inbounds, ...outbounds])
    note(plan.settings.resources, ({ name }) => ownFacts(byName(name)));
  return (resource) => known.get(idOf(resource));
}

function idOf({ typeUrl, name }: EncodedResource): string {
  return `${typeUrl} ${name}`;
}

function ownFacts(origin: string): ResourceFacts {
  return { origin, aliases: [], tags: {} };
}

/** Kuma 2.x: `outbound:passthrough:ipv4` for self_transparentproxy_passthrough_outbound_ipv4. */
function passthroughFacts({ name }: EncodedResource): ResourceFacts {
  const [, direction, family] = /^self_transparentproxy_passthrough_(\w+)_(ipv\d)$/.exec(name) ?? [];
  if (direction === undefined) return ownFacts("meshpassthrough");
  return { origin: "transparent", aliases: [`${direction}:passthrough:${family}`], tags: {} };
}

/** Kuma names what a policy brings after the policy: MeshTrace → "mesh-trace". */
function originOfKind(kind: string): string {
  return kind.replaceAll(/(?<=[a-z])(?=[A-Z])/g, "-").toLowerCase();
}

// What a policy attaches to a port or a destination is called system_<kind>_<what>, as in Kuma: "mesh-access-log".
function byName(name: string): string {
  const [, kind = "policy"] = /^system_mesh([a-z]+)_/.exec(name) ?? [];
  return { accesslog: "mesh-access-log", trace: "mesh-trace", metric: "mesh-metric" }[kind] ?? kind;
}

function inboundFacts(
  { address, port, tags, service, key }: InboundPlan,
  labels: Labels,
  { typeUrl }: EncodedResource,
): ResourceFacts {
  const named = tags[LABEL.service];
  const aliases: Readonly<Record<Kind, readonly string[]>> = {
    Listener: [`inbound:${address}:${port}`],
    Cluster: [`localhost:${service.port}`],
    RouteConfiguration: named === undefined ? [] : [`inbound:${named}`, named],
  };
  return {
    origin: "inbound",
    aliases: aliases[kindOf(typeUrl)] ?? [],
    tags: { ...labels, ...tags, "kuma.io/unified-name": key },
  };
}

function outboundFacts({ destination, address, port }: OutboundPlan, { typeUrl }: EncodedResource): ResourceFacts {
  const { key, labels, tags } = destination;
  const aliases: Readonly<Record<Kind, readonly string[]>> = {
    Listener: [`outbound:${address}:${port}`, key],
    Cluster: [],
    RouteConfiguration: [`outbound:${nameInKuma2(destination)}`, nameInKuma2(destination)],
  };
  return {
    origin: "outbound",
    aliases: aliases[kindOf(typeUrl)] ?? [],
    tags: { ...labels, ...tags, "kuma.io/unified-name": key },
  };
}

/** Of a cluster that a destination has; a unit has those of all that its routes lead to. */
function clusterFacts(
  destinations: readonly Destination[],
  { typeUrl, name }: EncodedResource,
): ResourceFacts | undefined {
  if (kindOf(typeUrl) !== "Cluster") return undefined;
  const destination = destinations.find(({ key }) => key === name);
  if (destination === undefined) return undefined;
  return { origin: "outbound", aliases: [nameInKuma2(destination)], tags: {} };
}

/** Kuma 2.x: `<mesh>_<name>_<namespace>_<zone>_<short name>_<port>`, and for a service tag the service itself. */
function nameInKuma2({ key, kind, mesh, name, labels, port }: Destination): string {
  if (kind === "Service") return key;
  const shortName = SHORT_NAMES[kind];
  return [mesh, name, labels[LABEL.namespace] ?? "", labels[LABEL.zone] ?? "", shortName, port].join("_");
}

const SHORT_NAMES = { MeshService: "msvc", MeshExternalService: "extsvc", MeshMultiZoneService: "mzsvc" } as const;

type Kind = "Listener" | "Cluster" | "RouteConfiguration";

function kindOf(typeUrl: string): Kind {
  return typeUrl.slice(typeUrl.lastIndexOf(".") + 1) as Kind;
}
