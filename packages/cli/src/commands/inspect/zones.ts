import { readPages } from "../../api/pages.ts";
import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { connect } from "../../connect.ts";
import { number, record, records, text, type Json } from "../../json.ts";
import { age } from "../../output/age.ts";
import { formatData } from "../../output/data.ts";
import { plain, type Paint } from "../../output/paint.ts";
import { table } from "../../output/table.ts";

/** A zone as its control plane is connected. */
export interface ZoneRow {
  readonly name: string;
  readonly status: "Online" | "Offline" | "Disabled";
  readonly connected: string | undefined;
  readonly updated: string | undefined;
  readonly updates: number;
  readonly errors: number;
  readonly version: string | undefined;
}

/** `heddle inspect zones`: which zones are connected. */
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
      const { total, items } = await readPages(api, { path: "/zones/_overview", action: "list the zones" });
      if (output !== "table") return cli.terminal.print(await formatData({ total, items }, output));
      if (items.length === 0) return cli.terminal.note("There are no zones: this control plane stands alone");
      cli.terminal.print(render(items.map(parseZoneRow), cli.now(), cli.terminal.paint));
    });
  addExamples(typed, [["heddle inspect zones", "all zones with their connection"]]);
}

/** Reads an item of `zones/_overview`: a Zone beside its insight. */
export function parseZoneRow(item: unknown): ZoneRow {
  const overview = record(item);
  const subscriptions = records(record(overview["zoneInsight"])["subscriptions"]);
  const totals = subscriptions.map(({ status }) => record(record(status)["total"]));
  const sum = (field: string): number => totals.reduce((total, each) => total + (number(each[field]) ?? 0), 0);
  const last = subscriptions.at(-1) ?? {};
  const version = record(last["version"]);
  return {
    name: text(overview["name"]) ?? "",
    status: statusOf(record(overview["zone"]), subscriptions),
    connected: text(last["connectTime"]),
    updated: text(record(last["status"])["lastUpdateTime"]),
    updates: sum("responsesSent"),
    errors: sum("responsesRejected"),
    version: text(record(version["heddleCp"] ?? version["kumaCp"])["version"]),
  };
}

function statusOf(zone: Json, subscriptions: readonly Json[]): ZoneRow["status"] {
  if (zone["enabled"] === false) return "Disabled";
  const online = subscriptions.some(
    (each) => text(each["connectTime"]) !== undefined && text(each["disconnectTime"]) === undefined,
  );
  return online ? "Online" : "Offline";
}

/** A line for each zone. */
export function render(rows: readonly ZoneRow[], now: Date, paint: Paint = plain): string {
  return table(rows, [
    { title: "NAME", value: ({ name }) => name },
    { title: "STATUS", value: ({ status }) => paint(status === "Online" ? "green" : "red", status) },
    { title: "CONNECTED", value: ({ connected }) => age(connected, now) },
    { title: "UPDATED", value: ({ updated }) => age(updated, now) },
    { title: "UPDATES", value: ({ updates }) => String(updates) },
    { title: "ERRORS", value: ({ errors }) => String(errors) },
    { title: "VERSION", value: ({ version }) => version },
  ]);
}
