import type { Api } from "../api/api.ts";
import { readPages, type Page } from "../api/pages.ts";
import {
  addressPath,
  addressText,
  listTypes,
  resolveType,
  resourcePath,
  type Address,
  type ResourceType,
} from "../api/resource-types.ts";
import { UsageError } from "../cli-error.ts";
import type { Cli } from "../cli.ts";
import { addExamples, type CliCommand } from "../command-tree.ts";
import { connect } from "../connect.ts";
import { collectLabel, labelQuery } from "../label-filter.ts";
import { formatData, OUTPUTS, type Output } from "../output/data.ts";

interface Wish {
  readonly mesh: string;
  readonly allMeshes?: true | undefined;
  readonly output: Output;
  readonly label?: readonly string[] | undefined;
  readonly size?: string | undefined;
  readonly offset?: string | undefined;
}

/** `heddle get`: lists resources of a type, or shows one. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .argument("[type]", "type of resource: its plural, singular or short name; without it, all types")
    .argument("[name]", "one resource")
    .option("-m, --mesh <mesh>", "mesh to look in", "default")
    .option("-A, --all-meshes", "look in all meshes")
    .option("-l, --label <key=value>", "only resources with this label; may be repeated", collectLabel)
    .option("--size <count>", "only this many (1 to 1000)")
    .option("--offset <offset>", "start here: what the page before this one named")
    .addOption(
      command
        .createOption("-o, --output <format>", "how to show it")
        .choices(OUTPUTS)
        .default("table" as const),
    )
    .action(async (word, name, options) => {
      const api = await connect(typed, cli);
      const types = await listTypes(api);
      if (word === undefined) {
        const { renderTypes } = await import("../get/render-list.ts");
        return cli.terminal.print(await renderTypes(types, options.output));
      }
      const type = await resolveType(types, word);
      cli.terminal.print(
        name === undefined
          ? await showList(api, cli, type, options)
          : await showOne(api, cli, { type, mesh: options.mesh, name }, options),
      );
    });
  addExamples(typed, [
    ["heddle get", "all types there are"],
    ["heddle get dataplanes --mesh default", "the proxies of a mesh"],
    ["heddle get meshtimeout slow -o yaml", "one policy, as it can be applied again"],
    ["heddle get dataplanes --all-meshes -l team=web -o name", "names of proxies with a label, in all meshes"],
  ]);
}

async function showOne(api: Api, cli: Cli, address: Address, wish: Wish): Promise<string> {
  const { type } = address;
  const action = `get ${addressText(address)}`;
  if (wish.allMeshes) throw new UsageError(`Cannot ${action} of all meshes: say which one with --mesh`);
  const detail = isTable(wish) && type.name === "Dataplane" ? ["_overview"] : [];
  const item = await api.json({ path: addressPath(address, ...detail), action });
  if (wish.output === "json" || wish.output === "yaml") return formatData(item, wish.output);
  return renderItems(type, [item], wish.output, cli);
}

async function showList(api: Api, cli: Cli, type: ResourceType, wish: Wish): Promise<string> {
  const mesh = wish.allMeshes ? undefined : wish.mesh;
  const detail = isTable(wish) && type.name === "Dataplane" ? ["_overview"] : [];
  const call = {
    path: resourcePath(type, mesh, ...detail),
    query: labelQuery(wish.label ?? []),
    action: `list ${type.plural}`,
  };
  const page = await readPages(api, call, { size: sizeOf(wish.size), offset: wish.offset });
  tellRest(page, wish, cli);
  if (wish.output === "json" || wish.output === "yaml") return formatData(listData(page), wish.output);
  if (page.items.length === 0) return emptySentence(type, mesh, cli);
  return renderItems(type, page.items, wish.output, cli);
}

/** A list for programs, in the form of the REST API. */
function listData({ total, items, nextOffset }: Page): unknown {
  return { total, items, ...(nextOffset === undefined ? {} : { nextOffset }) };
}

async function renderItems(type: ResourceType, items: readonly unknown[], output: Output, cli: Cli): Promise<string> {
  const { renderList, renderNames } = await import("../get/render-list.ts");
  if (output === "name") return renderNames(type, items);
  const { paint, width } = cli.terminal;
  return renderList(type, items, { wide: output === "wide", width, now: cli.now(), paint });
}

function tellRest(page: Page, { size }: Wish, { terminal }: Cli): void {
  if (page.nextOffset === undefined) return;
  terminal.note(
    `${page.items.length} of ${page.total} shown; the next ones: --size ${size} --offset ${page.nextOffset}`,
  );
}

// Said on standard error: a script that counts lines counts none.
function emptySentence(type: ResourceType, mesh: string | undefined, { terminal }: Cli): string {
  const where = type.scope === "Global" || mesh === undefined ? "" : ` in mesh "${mesh}"`;
  terminal.note(`There are no ${type.plural}${where}`);
  return "";
}

function sizeOf(raw: string | undefined): number | undefined {
  if (raw === undefined) return undefined;
  const size = Number(raw);
  if (Number.isInteger(size) && size >= 1 && size <= 1_000) return size;
  throw new UsageError(`Cannot use --size "${raw}": it must be a whole number from 1 to 1000`);
}

function isTable({ output }: Wish): boolean {
  return output === "table" || output === "wide";
}
