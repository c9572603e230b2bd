import type { ResourceType } from "../api/resource-types.ts";
import { record, text } from "../json.ts";
import type { Output } from "../output/data.ts";
import { formatData } from "../output/data.ts";
import type { Paint } from "../output/paint.ts";
import { table, type TableOptions } from "../output/table.ts";
import { dataplaneColumns } from "../tables/dataplane-columns.ts";
import { parseDataplaneRow } from "../tables/dataplane-row.ts";
import { columnsFor } from "../tables/resource-tables.ts";

export interface ListOptions extends TableOptions {
  readonly now: Date;
  readonly paint: Paint;
}

/** Resources of one type, a line each, in the columns of the type. Dataplanes come as overviews. */
export function renderList(
  type: ResourceType,
  items: readonly unknown[],
  { now, paint, ...options }: ListOptions,
): string {
  return type.name === "Dataplane"
    ? table(items.map(parseDataplaneRow), dataplaneColumns(now, paint), options)
    : table(items.map(record), columnsFor(type, now), options);
}

/** "dataplanes/web-1" for each resource. */
export function renderNames(type: ResourceType, items: readonly unknown[]): string {
  return items.map((item) => `${type.path}/${text(record(item)["name"]) ?? ""}`).join("\n");
}

/** The types of resources there are. */
export async function renderTypes(types: readonly ResourceType[], output: Output): Promise<string> {
  if (output === "json" || output === "yaml") return formatData(types, output);
  if (output === "name") return types.map(({ path }) => path).join("\n");
  return table(types, [
    { title: "TYPE", value: ({ name }) => name },
    { title: "GET", value: ({ path }) => path },
    { title: "SHORT", value: ({ shortName }) => shortName },
    { title: "SCOPE", value: ({ scope }) => scope },
    { title: "WRITABLE", value: ({ readOnly }) => (readOnly ? "no" : "yes") },
  ]);
}
