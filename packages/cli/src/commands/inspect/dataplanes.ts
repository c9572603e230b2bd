import { pathOf } from "../../api/api.ts";
import { readPages } from "../../api/pages.ts";
import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { connect } from "../../connect.ts";
import { collectLabel, labelQuery } from "../../label-filter.ts";
import { formatData } from "../../output/data.ts";
import { plain, type Paint } from "../../output/paint.ts";
import { table, type TableOptions } from "../../output/table.ts";
import { inspectColumns } from "../../tables/dataplane-columns.ts";
import { parseDataplaneRow, type DataplaneRow } from "../../tables/dataplane-row.ts";

/** `heddle inspect dataplanes`: which proxies are connected and well. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .option("-m, --mesh <mesh>", "mesh to look in", "default")
    .option("-A, --all-meshes", "look in all meshes")
    .option("-l, --label <key=value>", "only proxies with this label; may be repeated", collectLabel)
    .option("--tag <key=value>", "only proxies with this tag; may be repeated", collectLabel)
    .option("--gateway", "only gateways")
    .addOption(
      command
        .createOption("-o, --output <format>", "how to show it")
        .choices(["table", "wide", "yaml", "json"] as const)
        .default("table" as const),
    )
    .action(async (options) => {
      const api = await connect(typed, cli);
      const path = options.allMeshes
        ? "/dataplanes/_overview"
        : pathOf("meshes", options.mesh, "dataplanes", "_overview");
      // The API separates a tag's key from its value with a colon.
      const tags = options.tag?.map((tag) => tag.replace("=", ":"));
      const query = { ...labelQuery(options.label ?? []), tag: tags, gateway: options.gateway };
      const { total, items } = await readPages(api, { path, query, action: "list the dataplanes" });
      const { output } = options;
      if (output === "json" || output === "yaml") return cli.terminal.print(await formatData({ total, items }, output));
      const { print, note, paint, width } = cli.terminal;
      const rows = items.map(parseDataplaneRow);
      if (rows.length === 0) return note(emptySentence(options.allMeshes ? undefined : options.mesh));
      print(render(rows, cli.now(), paint, { wide: output === "wide", width }));
      const refusing = rows.find((row) => row.rejections.length > 0);
      if (refusing !== undefined)
        note(`See what a proxy refuses: heddle inspect dataplane ${refusing.name} --mesh ${refusing.mesh}`);
    });
  addExamples(typed, [
    ["heddle inspect dataplanes", "all proxies of mesh default with their state"],
    ["heddle inspect dataplanes --all-meshes -o wide", "all there is to say of all proxies"],
    ["heddle inspect dataplanes --tag kuma.io/service=web", "the proxies of one service"],
  ]);
}

/** A line for each proxy. */
export function render(
  rows: readonly DataplaneRow[],
  now: Date,
  paint: Paint = plain,
  options: TableOptions = {},
): string {
  return table(rows, inspectColumns(now, paint), options);
}

function emptySentence(mesh: string | undefined): string {
  const where = mesh === undefined ? "" : ` in mesh "${mesh}"`;
  return `There are no proxies${where} yet; run one beside a service: heddle dp run --dataplane-file dp.yaml`;
}
