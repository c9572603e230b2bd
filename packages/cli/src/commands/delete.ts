import type { Api } from "../api/api.ts";
import { addressText, type Address } from "../api/resource-types.ts";
import { deleteResource, type Written } from "../api/write.ts";
import { AlreadyReported, CliError } from "../cli-error.ts";
import type { Cli } from "../cli.ts";
import { addExamples, type CliCommand } from "../command-tree.ts";
import { connect } from "../connect.ts";
import { confirmMeshes } from "../delete/confirm-meshes.ts";
import { findTargets } from "../delete/find-targets.ts";
import { addPlace, addVariable } from "../documents/document-flags.ts";
import { durationFlag } from "../global-options.ts";
import { renderRollout } from "../output/render-rollout.ts";
import { renderError } from "../render-error.ts";
import { awaitRollout, hasFailed } from "../roll-out.ts";

/** `heddle delete`: deletes resources by name, or those that files hold, and waits for the proxies. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .argument("[type]", "type of resource")
    .argument("[name...]", "resources to delete")
    .option("-f, --file <place>", "delete what this file, folder, URL or - holds; may be repeated", addPlace)
    .option("-v, --var <key=value>", "value for {{ key }} in the documents; may be repeated", addVariable)
    .option("-m, --mesh <mesh>", "mesh of the resources", "default")
    .option("-y, --yes", "delete a mesh without asking")
    .option("--no-wait", "do not wait for the proxies", true)
    .option("--timeout <duration>", "longest wait for the proxies", "30s")
    .action(async (type, names, { file: places = [], var: variables = {}, mesh, yes, wait, timeout }) => {
      const timeoutMillis = durationFlag("--timeout", timeout);
      const api = await connect(typed, cli);
      const read = { stdin: cli.stdin, signal: cli.signal, variables, mesh };
      const targets = await findTargets(api, { type, names, places }, read);
      if (!yes) await confirmMeshes(targets, cli);
      await deleteAll(api, cli, targets, wait ? timeoutMillis : undefined);
    });
  addExamples(typed, [
    ["heddle delete meshtimeout slow", "delete one policy, and see every proxy take it"],
    ["heddle delete -f policy.yaml", "delete what a file holds"],
    ["heddle delete mesh staging --yes", "delete a mesh without being asked"],
  ]);
}

async function deleteAll(
  api: Api,
  cli: Cli,
  targets: readonly Address[],
  waitMillis: number | undefined,
): Promise<void> {
  const { print, note, paint, paintNote } = cli.terminal;
  const written: Written[] = [];
  const since = performance.now();
  for (const target of targets) {
    try {
      const deleted = await deleteResource(api, target);
      written.push(deleted);
      print(`${paint("yellow", "deleted")} ${addressText(target)}`);
      for (const warning of deleted.warnings) note(`${paintNote("yellow", "warning:")} ${warning}`);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      note(renderError(error, paintNote));
    }
  }
  const rollout =
    waitMillis === undefined ? undefined : await awaitRollout(api, cli, written, { timeout: waitMillis, since });
  if (rollout !== undefined) print(renderRollout(rollout, paint));
  if (written.length < targets.length || hasFailed(rollout)) throw new AlreadyReported();
}
