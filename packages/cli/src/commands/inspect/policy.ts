import type { Command } from "commander";
import type { Api } from "../../api/api.ts";
import { RefusedError } from "../../api/explain-refusal.ts";
import { readPages } from "../../api/pages.ts";
import {
  listTypes,
  resolveType,
  addressPath,
  addressText,
  type Address,
  type ResourceType,
} from "../../api/resource-types.ts";
import { UsageError } from "../../cli-error.ts";
import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { connect } from "../../connect.ts";
import { record, text } from "../../json.ts";
import { formatData } from "../../output/data.ts";
import { table } from "../../output/table.ts";

/** A proxy that a policy reaches. */
export interface Reached {
  readonly mesh: string;
  readonly name: string;
}

/** `heddle inspect policy TYPE NAME`, and `heddle inspect TYPE NAME`: the proxies that a policy reaches. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .argument("[type]", "type of policy: its plural, singular or short name")
    .argument("[name]", "the policy")
    .option("-m, --mesh <mesh>", "mesh of the policy", "default")
    .addOption(
      command
        .createOption("-o, --output <format>", "how to show it")
        .choices(["table", "yaml", "json", "name"] as const)
        .default("table" as const),
    )
    .action(async (word, name, { mesh, output }) => {
      // This is what `heddle inspect` alone comes to.
      if (word === undefined) return (typed.parent as Command | null)?.help({ error: true });
      const api = await connect(typed, cli);
      const type = await resolveInspected(api, word);
      if (name === undefined)
        throw new UsageError(`Cannot inspect ${type.name}: no name is given`, { next: [`heddle get ${type.path}`] });
      const items = await readReached(api, { type, mesh, name });
      const rows = items.map((item) => ({
        mesh: text(record(item)["mesh"]) ?? mesh,
        name: text(record(item)["name"]) ?? "",
      }));
      const { print, note } = cli.terminal;
      if (type.isPolicy) await tellHold(api, cli, { type, mesh, name });
      if (output === "json" || output === "yaml")
        return print(await formatData({ total: items.length, items }, output));
      if (rows.length === 0)
        note(
          `${addressText({ type, mesh, name })} reaches no proxy; its target: heddle get ${type.path} ${name} -o yaml`,
        );
      else print(output === "name" ? rows.map((row) => `dataplanes/${row.name}`).join("\n") : render(rows));
    });
  addExamples(typed, [
    ["heddle inspect meshtimeout slow", "the proxies that a policy reaches"],
    ["heddle inspect policy mtp allow-web --mesh prod -o name", "the same by short name, in another mesh"],
  ]);
}

/** A policy that reaches proxies and yet is not in force would be a riddle. */
async function tellHold(api: Api, { terminal }: Cli, address: Address): Promise<void> {
  const policy = record(await api.json({ path: addressPath(address), action: `read ${addressText(address)}` }));
  const message = text(record(record(policy["status"])["rollOut"])["message"]);
  if (message === undefined) return;
  terminal.note(`${terminal.paintNote("yellow", "warning:")} ${addressText(address)} is held: ${message}`);
}

/** A line for each proxy. */
export function render(rows: readonly Reached[]): string {
  return table(rows, [
    { title: "MESH", value: ({ mesh }) => mesh },
    { title: "DATAPLANE", value: ({ name }) => name },
  ]);
}

const OTHER_WORDS = ["dataplanes", "dataplane", "rules", "access", "meshes", "zones"];

async function resolveInspected(api: Api, word: string): Promise<ResourceType> {
  const types = await listTypes(api);
  const type = await resolveType(types, word).catch(async (error: unknown) => {
    // The word may as well be one of the other commands, mistyped.
    const { nearest } = await import("@heddle/model/schema.ts");
    const near = nearest(word, OTHER_WORDS);
    if (near === undefined || !(error instanceof UsageError)) throw error;
    throw new UsageError(`Cannot inspect "${word}": there is no such command or type`, {
      next: [`heddle inspect ${near}`],
    });
  });
  if (type.isPolicy || type.name === "MeshService") return type;
  throw new UsageError(`Cannot inspect ${type.name}: it is no policy`, {
    next: [`heddle get ${type.path}`, "heddle inspect --help"],
  });
}

async function readReached(api: Api, address: Address): Promise<readonly unknown[]> {
  const action = `inspect ${addressText(address)}`;
  const read = async (...rest: readonly string[]): Promise<readonly unknown[]> =>
    (await readPages(api, { path: addressPath(address, ...rest), action })).items;
  if (address.type.name !== "MeshService") return read("_resources", "dataplanes");
  try {
    return await read("_dataplanes");
  } catch (error) {
    // Kuma 2.x has this under the name that policies have it under.
    if (error instanceof RefusedError && error.status === 404) return read("_resources", "dataplanes");
    throw error;
  }
}
