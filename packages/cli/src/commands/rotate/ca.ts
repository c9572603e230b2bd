import type { Api } from "../../api/api.ts";
import {
  type CaRotation,
  currentRotation,
  flagsOf,
  followRotation,
  type RotationPlace,
  startRotation,
} from "../../api/ca-rotation.ts";
import { AlreadyReported, Interrupted, UsageError } from "../../cli-error.ts";
import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { connect } from "../../connect.ts";
import { durationFlag } from "../../global-options.ts";
import { formatData } from "../../output/data.ts";
import { renderRotation, renderRotationProgress } from "../../output/render-rotation.ts";

/** `heddle rotate ca`: another authority signs, once every proxy trusts it. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .option("-m, --mesh <mesh>", "mesh whose authority is replaced", "default")
    .option("--to <backend>", "another backend of mtls.backends; without it the one that signs gets a new root")
    .option("--identity <name>", "a new root for this MeshIdentity instead")
    .option("--remove-old", "remove the old authority when no certificate of it is left, and wait for that")
    .option("--status", "only show the rotation that is under way, or the last one")
    .option("--no-wait", "begin it and return", true)
    .option("--timeout <duration>", "longest wait; the rotation goes on after it", "5m")
    .addOption(
      command
        .createOption("-o, --output <format>", "how to show it")
        .choices(["text", "yaml", "json"] as const)
        .default("text" as const),
    )
    .action(async ({ mesh, to, identity, removeOld = false, status, wait, timeout, output }) => {
      if (to !== undefined && identity !== undefined)
        throw new UsageError("Cannot rotate with --to and --identity: a MeshIdentity has one authority");
      const timeoutMillis = durationFlag("--timeout", timeout);
      const api = await connect(typed, cli);
      const place = { mesh, identity };
      const begin = async (): Promise<CaRotation> => {
        const started = await startRotation(api, place, { to, removeOld });
        return wait && !started.done ? await follow(api, cli, place, { timeoutMillis, started }) : started;
      };
      const rotation = status ? await currentRotation(api, place) : await begin();
      const { print, paint } = cli.terminal;
      print(output === "text" ? renderRotation(rotation, paint) : await formatData(rotation.raw, output));
      if (rotation.phase === "stopped" || rotation.timedOut) throw new AlreadyReported();
    });
  addExamples(typed, [
    ["heddle rotate ca", "a new root for the backend that signs; also when the old one has expired"],
    ["heddle rotate ca --to vault-1 --remove-old", "sign with another backend, and take the old one out of the mesh"],
    ["heddle rotate ca --identity everybody", "a new root for a MeshIdentity"],
    ["heddle rotate ca --status", "how far it is, and who holds it up"],
  ]);
}

async function follow(
  api: Api,
  cli: Cli,
  place: RotationPlace,
  { timeoutMillis, started }: { readonly timeoutMillis: number; readonly started: CaRotation },
): Promise<CaRotation> {
  const spinner = cli.terminal.spinner(renderRotationProgress(started));
  let last = started;
  try {
    for await (const rotation of followRotation(api, place, timeoutMillis)) {
      last = rotation;
      spinner.update(renderRotationProgress(rotation));
    }
    return last;
  } catch (error) {
    if (!cli.signal.aborted) throw error;
    throw new Interrupted("Stopped waiting; the rotation goes on", {
      next: [
        `See how far it is: heddle rotate ca --status${flagsOf(place)}`,
        "While it is under way, the same command waits for it again",
      ],
    });
  } finally {
    spinner.stop();
  }
}
