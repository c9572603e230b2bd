import { pathOf } from "../../api/api.ts";
import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { connect } from "../../connect.ts";
import { number, record, records, text, texts } from "../../json.ts";
import { formatData } from "../../output/data.ts";
import { plain, type Paint } from "../../output/paint.ts";

/** Whether the caller gets through to one inbound. */
export interface Access {
  readonly inbound: string;
  readonly port: number | undefined;
  readonly decision: "allow" | "deny" | "plaintext";
  readonly reason: string;
  readonly origins: readonly string[];
  /** What to do or to apply to change it. */
  readonly fix: string | undefined;
}

/** `heddle inspect access`: may one proxy call another, why, and what would change it. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .requiredOption("--from <dataplane|spiffe-id>", "who calls: a proxy of the mesh, or an identity")
    .requiredOption("--to <dataplane>", "the proxy that is called")
    .option("-m, --mesh <mesh>", "mesh of both", "default")
    .addOption(
      command
        .createOption("-o, --output <format>", "how to show it")
        .choices(["text", "yaml", "json"] as const)
        .default("text" as const),
    )
    .action(async ({ from, to, mesh, output }) => {
      const api = await connect(typed, cli);
      const path = pathOf("meshes", mesh, "dataplanes", to, "_access");
      const answer = await api.json({ path, query: { from }, action: `find out whether "${from}" may call "${to}"` });
      const { print, paint } = cli.terminal;
      print(output === "text" ? render(from, to, parseAccess(answer), paint) : await formatData(answer, output));
    });
  addExamples(typed, [
    ["heddle inspect access --from web-1 --to api-1", "whether web-1 may call api-1, and why"],
    ["heddle inspect access --from spiffe://default/web --to api-1", "the same for an identity"],
  ]);
}

/** Reads the answer of `_access`. */
export function parseAccess(answer: unknown): readonly Access[] {
  return records(record(answer)["inbounds"]).map((entry) => ({
    inbound: text(entry["inbound"]) ?? "",
    port: number(entry["port"]),
    decision: entry["decision"] === "allow" || entry["decision"] === "plaintext" ? entry["decision"] : "deny",
    reason: text(entry["reason"]) ?? "",
    origins: texts(entry["origins"]),
    fix: text(entry["fix"]),
  }));
}

const WORDS = { allow: "allowed", deny: "denied", plaintext: "allowed in plain text" } as const;
const STYLES = { allow: "green", deny: "red", plaintext: "yellow" } as const;

/** A paragraph for each inbound: the decision, its reason, where it comes from, what would change it. */
export function render(from: string, to: string, all: readonly Access[], paint: Paint = plain): string {
  if (all.length === 0) return `${to} has no inbound: nobody can call it through the mesh`;
  return all.map((access) => renderAccess(from, to, access, paint)).join("\n");
}

function renderAccess(from: string, to: string, access: Access, paint: Paint): string {
  const { inbound, port, decision, reason, origins, fix } = access;
  // An inbound without a name is called by its port.
  const section = inbound === "" || inbound === String(port) ? `port ${port ?? inbound}` : `${inbound} (port ${port})`;
  return [
    `${from} -> ${to} ${section}: ${paint(STYLES[decision], WORDS[decision])}`,
    `  why     ${reason}`,
    ...(origins.length === 0 ? [] : [`  origin  ${origins.join(", ")}`]),
    ...(fix === undefined ? [] : fixLines(fix, paint)),
  ].join("\n");
}

// A fix of several lines is a document, fit to be copied into a file.
function fixLines(fix: string, paint: Paint): readonly string[] {
  const lines = fix.trimEnd().split("\n");
  if (lines.length === 1) return [`  ${paint("cyan", "->")} ${fix.trimEnd()}`];
  return [
    `  ${paint("cyan", "->")} apply this: heddle apply -f - (then Ctrl-D)`,
    ...lines.map((line) => `    ${line}`),
  ];
}
