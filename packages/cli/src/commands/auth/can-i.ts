import { ACCESS_ACTIONS } from "@heddle/model/kinds/access.ts";
import { AlreadyReported } from "../../cli-error.ts";
import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { connect } from "../../connect.ts";
import { record, text } from "../../json.ts";
import { plain, type Paint } from "../../output/paint.ts";

/** `heddle auth can-i`: whether somebody may do something, through which role, or which one would do. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .argument("<verb>", `what: ${ACCESS_ACTIONS.map(wordOf).join(", ")}`)
    .argument("[type]", "type of the resource: MeshTimeout")
    .argument("[name]", "its name; any when left out")
    .option("-m, --mesh <mesh>", "mesh of the resource", "default")
    .option("--as <user>", "ask for somebody else; for administrators")
    .option("--as-group <group...>", "groups that this user is in")
    .action(async (verb, type, name, { mesh, as: user, asGroup: group }) => {
      const api = await connect(typed, cli);
      const query = { action: verb.toUpperCase().replaceAll("-", "_"), type, name, mesh, user, group };
      const answer = await api.json({ path: "/can-i", query, action: `find out who may ${verb}` });
      cli.terminal.print(render(answer, cli.terminal.paint));
      if (record(answer)["allowed"] !== true) throw new AlreadyReported("not allowed");
    });
  addExamples(typed, [
    ["heddle auth can-i update MeshTimeout", "whether you may change timeouts in mesh default"],
    ["heddle auth can-i delete Mesh prod --as jane --as-group team-a", "the same for somebody else"],
    ["heddle auth can-i generate-user-token", "an action that is on no type"],
  ]);
}

/** "yes" or "no", and why. */
export function render(answer: unknown, paint: Paint = plain): string {
  const { allowed, by, reason, user } = record(answer);
  const name = text(record(user)["name"]) ?? "";
  if (allowed !== true) return `${paint("red", "no")}: ${name}: ${text(reason) ?? "not allowed"}`;
  const { role, binding } = record(by);
  return `${paint("green", "yes")}: ${name} has the role ${text(role) ?? ""} by ${text(binding) ?? ""}`;
}

function wordOf(action: string): string {
  return action.toLowerCase().replaceAll("_", "-");
}
