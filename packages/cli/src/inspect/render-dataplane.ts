import { number, record, text, textMap, type Json } from "../json.ts";
import { age, ahead } from "../output/age.ts";
import type { Paint } from "../output/paint.ts";
import { renderRejection } from "../output/render-rollout.ts";
import { table } from "../output/table.ts";
import { paintStatus } from "../tables/dataplane-columns.ts";
import { isReady, type DataplaneRow } from "../tables/dataplane-row.ts";
import { pairs } from "../tables/resource-tables.ts";

/** One proxy on one screen: how it is, its connection and certificate, its ports, and what it refuses. */
export function renderDataplane(row: DataplaneRow, now: Date, paint: Paint): string {
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["address", row.address],
    ["connected", connection(row, now)],
    ["certificate", certificate(row, now)],
    [
      "envoy",
      [row.envoyVersion, row.launcherVersion && `launched by version ${row.launcherVersion}`]
        .filter(Boolean)
        .join(", "),
    ],
    ["updates", updates(row, now)],
    ["labels", pairs(row.labels)],
  ];
  return [
    `Dataplane ${row.mesh}/${row.name}: ${paintStatus(row.status, paint)}`,
    ...facts.flatMap(([title, value]) => (value ? [`  ${title.padEnd("certificate".length)}  ${value}`] : [])),
    ...ports("Inbounds", row.inbounds, inboundColumns, paint),
    ...ports("Outbounds", row.outbounds, outboundColumns, paint),
    ...row.rejections.flatMap((rejection) => ["", renderRejection(rejection, paint)]),
  ].join("\n");
}

const inboundColumns = [
  { title: "PORT", value: ({ port }: Json) => String(port) },
  { title: "NAME", value: ({ name }: Json) => text(name) },
  {
    title: "PROTOCOL",
    value: ({ protocol, tags }: Json) => text(protocol) ?? textMap(tags)["kuma.io/protocol"] ?? "tcp",
  },
  { title: "APPLICATION", value: (inbound: Json) => application(inbound) },
  { title: "STATE", value: (inbound: Json) => (isReady(inbound) ? "Ready" : "NotReady") },
  { title: "TAGS", value: ({ tags }: Json) => pairs(textMap(tags)) },
];

const outboundColumns = [
  { title: "PORT", value: ({ port }: Json) => String(port) },
  { title: "ADDRESS", value: ({ address }: Json) => text(address) ?? "127.0.0.1" },
  { title: "DESTINATION", value: (outbound: Json) => destination(outbound) },
];

function ports(
  title: string,
  rows: readonly Json[],
  columns: Parameters<typeof table<Json>>[1],
  paint: Paint,
): readonly string[] {
  if (rows.length === 0) return [];
  return [
    "",
    paint("bold", title),
    ...table(rows, columns)
      .split("\n")
      .map((line) => `  ${line}`),
  ];
}

function connection({ status, connected, controlPlane }: DataplaneRow, now: Date): string {
  if (connected === undefined) return "never";
  const place = controlPlane === undefined ? "" : ` to control plane ${controlPlane}`;
  return status === "Offline" ? `last ${age(connected, now)} ago${place}` : `${age(connected, now)} ago${place}`;
}

function certificate({ certificate: { expires, backend, count } }: DataplaneRow, now: Date): string | undefined {
  if (expires === undefined) return undefined;
  const times = count === 0 ? "" : `, issued ${count} ${count === 1 ? "time" : "times"}`;
  return `expires ${ahead(expires, now)} (${expires})${backend === undefined ? "" : `, from ${backend}`}${times}`;
}

function updates({ responses, updated }: DataplaneRow, now: Date): string {
  const last = updated === undefined ? "" : `, the last ${age(updated, now)} ago`;
  return `${responses.sent} sent, ${responses.acknowledged} acknowledged, ${responses.rejected} refused${last}`;
}

function application({ serviceAddress, servicePort, port }: Json): string {
  return `${text(serviceAddress) ?? "127.0.0.1"}:${number(servicePort) ?? String(port)}`;
}

function destination({ backendRef, tags }: Json): string {
  const reference = record(backendRef);
  const name = text(reference["name"]) ?? pairs(textMap(reference["labels"]));
  if (name === "") return pairs(textMap(tags));
  const port = number(reference["port"]);
  return `${text(reference["kind"]) ?? "MeshService"} ${name}${port === undefined ? "" : `:${port}`}`;
}
