import { readPages } from "../../api/pages.ts";
import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { connect } from "../../connect.ts";
import { record, text, texts } from "../../json.ts";
import { age } from "../../output/age.ts";
import { formatData } from "../../output/data.ts";
import { plain, type Paint } from "../../output/paint.ts";
import { table } from "../../output/table.ts";
import { parseDataplaneRow, type DataplaneRow } from "../../tables/dataplane-row.ts";
import { mtlsOf } from "../../tables/resource-tables.ts";

/** A mesh and its proxies, counted. */
export interface MeshRow {
  readonly name: string;
  readonly mtls: string | undefined;
  readonly created: string | undefined;
  readonly proxies: {
    readonly total: number;
    readonly online: number;
    readonly degraded: number;
    readonly offline: number;
  };
  /** Proxies that refuse what they were sent. */
  readonly refusing: number;
  /** What will go wrong with certificates unless somebody acts. */
  readonly warnings: readonly string[];
}

/** `heddle inspect meshes`: all meshes with how their proxies are. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .addOption(
      command
        .createOption("-o, --output <format>", "how to show it")
        .choices(["table", "yaml", "json"] as const)
        .default("table" as const),
    )
    .action(async ({ output }) => {
      const api = await connect(typed, cli);
      const [meshes, insights, dataplanes] = await Promise.all([
        readPages(api, { path: "/meshes", action: "list the meshes" }),
        readPages(api, { path: "/mesh-insights", action: "look at the meshes" }),
        readPages(api, { path: "/dataplanes/_overview", action: "list the dataplanes" }),
      ]);
      const rows = meshRows(meshes.items, dataplanes.items.map(parseDataplaneRow), insights.items);
      const { print, paint } = cli.terminal;
      print(output === "table" ? render(rows, cli.now(), paint) : await formatData(rows, output));
    });
  addExamples(typed, [["heddle inspect meshes", "all meshes with their proxies, counted"]]);
}

/** Counts the proxies of each mesh. */
export function meshRows(
  meshes: readonly unknown[],
  dataplanes: readonly DataplaneRow[],
  insights: readonly unknown[] = [],
): readonly MeshRow[] {
  const warnings = new Map(
    insights.map(record).map(({ name, mTLS }) => [text(name), texts(record(mTLS)["warnings"])] as const),
  );
  const byMesh = Map.groupBy(dataplanes, ({ mesh }) => mesh);
  return meshes.map(record).map((mesh) => {
    const name = text(mesh["name"]) ?? "";
    const own = byMesh.get(name) ?? [];
    const count = (status: DataplaneRow["status"]): number => own.filter((row) => row.status === status).length;
    return {
      name,
      mtls: mtlsOf(record(mesh["mtls"])),
      created: text(mesh["creationTime"]),
      proxies: {
        total: own.length,
        online: count("Online"),
        degraded: count("Partially degraded"),
        offline: count("Offline"),
      },
      refusing: own.filter(({ rejections }) => rejections.length > 0).length,
      warnings: warnings.get(name) ?? [],
    };
  });
}

/** A line for each mesh. */
export function render(rows: readonly MeshRow[], now: Date, paint: Paint = plain): string {
  const lines = table(rows, [
    { title: "NAME", value: ({ name }) => name },
    { title: "MTLS", value: ({ mtls }) => mtls },
    { title: "PROXIES", value: ({ proxies }) => String(proxies.total) },
    { title: "ONLINE", value: ({ proxies }) => String(proxies.online) },
    { title: "DEGRADED", value: ({ proxies }) => counted(proxies.degraded, paint, "yellow") },
    { title: "OFFLINE", value: ({ proxies }) => counted(proxies.offline, paint, "red") },
    { title: "REFUSING", value: ({ refusing }) => counted(refusing, paint, "red") },
    { title: "AGE", value: ({ created }) => age(created, now) },
  ]);
  const warnings = rows.flatMap((row) => row.warnings.map((each) => `${paint("yellow", "!")} ${row.name}: ${each}`));
  return [lines, ...(warnings.length === 0 ? [] : ["", ...warnings])].join("\n");
}

function counted(count: number, paint: Paint, style: "red" | "yellow"): string {
  return count === 0 ? "0" : paint(style, String(count));
}
