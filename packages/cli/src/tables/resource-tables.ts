import { LABEL } from "@heddle/model/labels.ts";
import type { ResourceType } from "../api/resource-types.ts";
import { number, record, records, text, textMap, type Json } from "../json.ts";
import { age } from "../output/age.ts";
import type { Column } from "../output/table.ts";

/** The columns in which resources of a type are listed. */
export function columnsFor(type: ResourceType, now: Date): readonly Column<Json>[] {
  return [
    ...(type.scope === "Mesh" ? [{ title: "MESH", value: (row: Json) => text(row["mesh"]) }] : []),
    { title: "NAME", value: (row) => text(row["name"]) },
    ...(type.isPolicy ? [{ title: "TARGET", value: targetOf }] : (OWN_COLUMNS[type.name] ?? [])),
    { title: "AGE", value: (row) => age(text(row["creationTime"]), now) },
    { title: "CHANGED", value: (row) => age(text(row["modificationTime"]), now), wide: true },
    { title: "LABELS", value: (row) => pairs(textMap(row["labels"])), wide: true },
  ];
}

/** "key=value" for each entry, in the order of the keys. */
export function pairs(map: Readonly<Record<string, string | readonly string[]>>): string {
  return Object.entries(map)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${[value].flat().join("|")}`)
    .join(" ");
}

/** What the control plane gave a service. */
const ADDRESSES: readonly Column<Json>[] = [
  { title: "VIP", value: ({ status }) => vipOf(record(status)), wide: true },
  { title: "HOSTNAMES", value: ({ status }) => hostnamesOf(record(status)), wide: true },
];

const OWN_COLUMNS: Readonly<Record<string, readonly Column<Json>[]>> = {
  Mesh: [{ title: "MTLS", value: ({ mtls }) => mtlsOf(record(mtls)) }],
  MeshService: [
    { title: "PORTS", value: (row) => portsOf(record(row["spec"])) },
    { title: "STATE", value: (row) => text(record(row["spec"])["state"]) },
    ...ADDRESSES,
  ],
  MeshExternalService: [
    { title: "PORT", value: (row) => portOf(record(record(row["spec"])["match"])) },
    { title: "ENDPOINTS", value: (row) => endpointsOf(record(row["spec"])) },
    ...ADDRESSES,
  ],
  MeshMultiZoneService: [
    { title: "PORTS", value: (row) => portsOf(record(row["spec"])) },
    { title: "MESH SERVICES", value: (row) => String(records(record(row["status"])["meshServices"]).length) },
    ...ADDRESSES,
  ],
  HostnameGenerator: [{ title: "TEMPLATE", value: (row) => text(record(row["spec"])["template"]) }],
  MeshIdentity: [{ title: "PROVIDER", value: (row) => text(record(record(row["spec"])["provider"])["type"]) }],
  MeshTrust: [{ title: "TRUST DOMAIN", value: (row) => text(record(row["spec"])["trustDomain"]) }],
  Zone: [{ title: "ENABLED", value: ({ enabled }) => (enabled === false ? "no" : "yes") }],
};

/** "ca-1 (builtin, STRICT)" for the backend in force; empty without mutual TLS. */
export function mtlsOf(mtls: Json): string | undefined {
  const enabled = text(mtls["enabledBackend"]);
  if (enabled === undefined) return undefined;
  const backend = records(mtls["backends"]).find(({ name }) => name === enabled) ?? {};
  const facts = [text(backend["type"]), text(backend["mode"]) ?? "STRICT"].filter((fact) => fact !== undefined);
  return `${enabled} (${facts.join(", ")})`;
}

function portsOf(spec: Json): string {
  return records(spec["ports"])
    .map(({ port, appProtocol }) => [number(port), text(appProtocol)].filter((part) => part !== undefined).join("/"))
    .join(" ");
}

function portOf({ port, protocol }: Json): string {
  return [number(port), text(protocol)].filter((part) => part !== undefined).join("/");
}

function endpointsOf(spec: Json): string {
  return records(spec["endpoints"])
    .map(({ address, port }) => [text(address), number(port)].filter((part) => part !== undefined).join(":"))
    .join(" ");
}

function vipOf(status: Json): string {
  return [record(status["vip"]), ...records(status["vips"])].flatMap(({ ip }) => text(ip) ?? []).join(" ");
}

function hostnamesOf(status: Json): string {
  return records(status["addresses"])
    .flatMap(({ hostname }) => text(hostname) ?? [])
    .join(" ");
}

function targetOf(row: Json): string {
  const [from = "", to] = ["sources", "destinations"].map((field) => selectorsOf(row[field]));
  if (to !== undefined && to !== "") return `${from} → ${to}`;
  if (Array.isArray(row["selectors"])) return selectorsOf(row["selectors"]);
  const target = record(record(row["spec"])["targetRef"]);
  const selected = { ...textMap(target["labels"]), ...textMap(target["tags"]) };
  return [text(target["kind"]) ?? "Mesh", text(target["name"]), text(target["sectionName"]), pairs(selected)]
    .filter(Boolean)
    .join(" ");
}

/** "web, backend version=v1" for what policies of Kuma 2.x select by. */
function selectorsOf(selectors: unknown): string {
  return records(selectors)
    .map(({ match }) => {
      const { [LABEL.service]: service = "*", ...tags } = textMap(match);
      return [service, pairs(tags)].filter((part) => part !== "").join(" ");
    })
    .join(", ");
}
