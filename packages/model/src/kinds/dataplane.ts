import { z } from "zod";
import { defineKind } from "../kind.ts";
import { LABEL, type Labels } from "../labels.ts";
import { duration, port, stringMap } from "../schema.ts";
import { backendRefSchema } from "../target-ref.ts";
import type { Violation } from "../violation.ts";

export const PROTOCOLS = ["tcp", "http", "http2", "grpc", "tls", "mysql", "kafka"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

const serviceProbe = z.strictObject({
  interval: duration().optional(),
  timeout: duration().optional(),
  unhealthyThreshold: z.int().min(1).optional(),
  healthyThreshold: z.int().min(1).optional(),
  tcp: z.strictObject({}).optional(),
});

const inboundSchema = z.strictObject({
  port: port().describe("Port the proxy listens on"),
  address: z.string().optional().describe("IP the proxy listens on (networking.address)"),
  servicePort: port().optional().describe("Port of the application (port)"),
  serviceAddress: z.string().optional().describe("IP of the application (127.0.0.1)"),
  name: z.string().min(1).optional().describe("Name of the inbound, for sectionName"),
  protocol: z.enum(PROTOCOLS).optional().describe("What is spoken on this port; tcp when unset"),
  tags: stringMap().optional().describe("Kuma 2.x: what the inbound is, with kuma.io/service"),
  state: z.enum(["Ready", "NotReady", "Ignored"]).optional().describe("Whether requests may be sent here (Ready)"),
  health: z.strictObject({ ready: z.boolean().optional() }).optional(),
  serviceProbe: serviceProbe.optional().describe("How the proxy finds out whether the application is ready"),
});
export type Inbound = z.infer<typeof inboundSchema>;

const outboundSchema = z.strictObject({
  port: port().describe("Port the proxy listens on for the application"),
  address: z.string().optional().describe("IP the proxy listens on (127.0.0.1)"),
  backendRef: backendRefSchema.omit({ weight: true }).optional().describe("Destination"),
  tags: stringMap().optional().describe("Kuma 2.x: the destination by kuma.io/service"),
});
export type Outbound = z.infer<typeof outboundSchema>;

const listenerSchema = z.strictObject({
  type: z.enum(["ZoneIngress", "ZoneEgress"]),
  address: z.string().optional(),
  port: port(),
  name: z.string().optional(),
  state: z.enum(["Ready", "NotReady"]).optional(),
});

export const dataplaneSchema = z.strictObject({
  networking: z.strictObject({
    address: z.string().min(1).describe("IP or DNS name under which other proxies reach this one"),
    advertisedAddress: z.string().optional().describe("Address given to other proxies instead of networking.address"),
    inbound: z.array(inboundSchema).optional(),
    outbound: z.array(outboundSchema).optional(),
    gateway: z
      .strictObject({
        type: z.enum(["DELEGATED", "BUILTIN"]).optional(),
        tags: stringMap().optional(),
      })
      .optional(),
    listeners: z.array(listenerSchema).optional(),
    transparentProxying: z
      .strictObject({
        redirectPortInbound: port().optional(),
        redirectPortOutbound: port().optional(),
        ipFamilyMode: z.enum(["DualStack", "IPv4", "IPv6", "UnSpecified"]).optional(),
        directAccessServices: z.array(z.string()).optional(),
        reachableServices: z.array(z.string()).optional(),
        reachableBackends: z
          .strictObject({ refs: z.array(backendRefSchema.omit({ weight: true })).optional() })
          .optional(),
      })
      .optional(),
    admin: z.strictObject({ port: port().optional() }).optional(),
  }),
  probes: z.unknown().optional(),
  metrics: z.unknown().optional(),
});
export type DataplaneSpec = z.infer<typeof dataplaneSchema>;

/** One proxy beside one instance of a service. */
export const dataplane = defineKind<DataplaneSpec>({
  type: "Dataplane",
  path: "dataplanes",
  shortName: "dp",
  scope: "Mesh",
  shape: "core",
  singular: "Data Plane Proxy",
  plural: "Data Plane Proxies",
  schema: dataplaneSchema,
  check: checkDataplane,
});

/** The section name of an inbound: its name, else its port. */
export function inboundName(inbound: Inbound): string {
  return inbound.name ?? String(inbound.port);
}

/** What is spoken on an inbound: the field, else Kuma 2.x's tag, else tcp. */
export function inboundProtocol(inbound: Inbound): Protocol {
  const tagged = inbound.tags?.[LABEL.protocol];
  return inbound.protocol ?? PROTOCOLS.find((protocol) => protocol === tagged) ?? "tcp";
}

/** All tag sets of a proxy: one for each inbound, or the gateway's. */
export function tagSets(spec: DataplaneSpec): readonly Labels[] {
  const { inbound = [], gateway } = spec.networking;
  const sets = inbound.flatMap((each) => (each.tags === undefined ? [] : [each.tags]));
  return gateway?.tags === undefined ? sets : [...sets, gateway.tags];
}

function checkDataplane(spec: DataplaneSpec): Violation[] {
  const { networking } = spec;
  const violations: Violation[] = [...checkPorts(spec), ...checkRedirectPorts(spec), ...checkOutbounds(spec)];
  if (networking.address === "0.0.0.0" || networking.address === "::") {
    violations.push({
      field: "networking.address",
      message: "must be an address that other proxies can reach, not the wildcard",
    });
  }
  violations.push(...checkTags(networking.gateway?.tags ?? {}, "networking.gateway.tags"));
  if (networking.gateway !== undefined && (networking.inbound?.length ?? 0) > 0) {
    violations.push({ field: "networking.inbound", message: "must be empty with a gateway" });
  }
  networking.inbound?.forEach((inbound, index) => {
    const field = `networking.inbound[${index}]`;
    if (inbound.tags !== undefined && Object.keys(inbound.tags).length > 0 && !inbound.tags[LABEL.service]) {
      violations.push({ field: `${field}.tags`, message: `must have the tag ${LABEL.service}` });
    }
    violations.push(...checkTags(inbound.tags ?? {}, `${field}.tags`));
    const listens = `${inbound.address ?? networking.address}:${inbound.port}`;
    const serves = `${inbound.serviceAddress ?? "127.0.0.1"}:${inbound.servicePort ?? inbound.port}`;
    if (listens === serves) {
      violations.push({
        field: `${field}.servicePort`,
        message: `must differ from port: the proxy and the application cannot both listen on ${listens}`,
      });
    }
  });
  return violations;
}

const TAG_NAME = /^[A-Za-z0-9.\-_:/]+$/;
const TAG_VALUE = /^[A-Za-z0-9.\-_:]+$/;

// Tags become URIs in the proxy's certificate, by which others permit: a slash or comma there could speak for somebody else.
function checkTags(tags: Labels, field: string): Violation[] {
  return Object.entries(tags).flatMap(([name, value]) => {
    if (!TAG_NAME.test(name))
      return [{ field: `${field}[${name}]`, message: "must be a name such as version or team.io/name" }];
    if (TAG_VALUE.test(value)) return [];
    return [
      { field: `${field}[${name}]`, message: "must be letters, digits, '-', '_', '.' and ':', at least one of them" },
    ];
  });
}

function checkPorts(spec: DataplaneSpec): Violation[] {
  const taken = new Map<string, string>();
  const doubled = listeningPorts(spec).flatMap(({ where, field }) => {
    const other = taken.get(where);
    taken.set(where, other ?? field);
    return other === undefined
      ? []
      : [{ field: `${field}.port`, message: `must differ from ${other}.port: ${where} is taken` }];
  });
  const names = (spec.networking.inbound ?? []).map(inboundName);
  const repeated = names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [{ field: `networking.inbound[${index}].name`, message: `must be unique: "${name}" is there already` }],
  );
  return [...doubled, ...repeated];
}

function checkRedirectPorts({ networking: { transparentProxying } }: DataplaneSpec): Violation[] {
  const { redirectPortInbound, redirectPortOutbound } = transparentProxying ?? {};
  if (redirectPortInbound === undefined || redirectPortInbound !== redirectPortOutbound) return [];
  const message = `must differ from redirectPortOutbound: both listen on port ${redirectPortOutbound}`;
  return [{ field: "networking.transparentProxying.redirectPortInbound", message }];
}

function listeningPorts({ networking }: DataplaneSpec): { readonly where: string; readonly field: string }[] {
  const { address, inbound = [], outbound = [], listeners = [] } = networking;
  const places = { inbound, outbound, listeners };
  return Object.entries(places).flatMap(([section, entries]) =>
    entries.map((each, index) => {
      const host = each.address ?? (section === "outbound" ? "127.0.0.1" : address);
      return { where: `${host}:${each.port}`, field: `networking.${section}[${index}]` };
    }),
  );
}

function checkOutbounds(spec: DataplaneSpec): Violation[] {
  return (spec.networking.outbound ?? []).flatMap((outbound, index): Violation[] => {
    const field = `networking.outbound[${index}]`;
    if (outbound.backendRef !== undefined && outbound.tags !== undefined) {
      return [{ field, message: "must have backendRef or tags, not both" }];
    }
    if (outbound.backendRef === undefined && outbound.tags?.[LABEL.service] === undefined) {
      return [
        {
          field,
          message: `must say where requests go: set backendRef, or tags with ${LABEL.service}`,
        },
      ];
    }
    const kind = outbound.backendRef?.kind;
    if (kind !== undefined && !["MeshService", "MeshExternalService", "MeshMultiZoneService"].includes(kind)) {
      return [
        {
          field: `${field}.backendRef.kind`,
          message: `must be MeshService, MeshExternalService or MeshMultiZoneService, not ${kind}`,
        },
      ];
    }
    if (outbound.backendRef !== undefined && kind !== "MeshExternalService" && outbound.backendRef.port === undefined) {
      return [{ field: `${field}.backendRef.port`, message: "must be set to a port of the service" }];
    }
    return [];
  });
}
