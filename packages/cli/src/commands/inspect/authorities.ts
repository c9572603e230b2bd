import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { connect } from "../../connect.ts";
import { askMeshes } from "../../inspect/ask-meshes.ts";
import {
  type AuthorityCertificate,
  type AuthorityRow,
  type MeshAnswer,
  parseAuthorities,
} from "../../inspect/certificate-rows.ts";
import { age, ahead } from "../../output/age.ts";
import { formatData } from "../../output/data.ts";
import { type Paint, plain, type Style } from "../../output/paint.ts";
import { asData } from "./certificates.ts";

/** `heddle inspect authorities`: who signs proxies' certificates, whether it can, what is trusted, until when. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .option("-m, --mesh <mesh>", "only the authorities of this mesh; those of all when unset")
    .addOption(
      command
        .createOption("-o, --output <format>", "how to show it")
        .choices(["text", "yaml", "json"] as const)
        .default("text" as const),
    )
    .action(async ({ mesh, output }) => {
      const api = await connect(typed, cli);
      const answers = await askMeshes(api, { mesh, below: "_authorities", action: "look at the authorities" });
      const { print, paint } = cli.terminal;
      if (output !== "text") return print(await formatData(asData(answers), output));
      print(
        render(
          answers.map((each) => parseAuthorities(each.mesh, each.answer)),
          cli.now(),
          paint,
        ),
      );
    });
  addExamples(typed, [
    ["heddle inspect authorities", "who signs certificates, and until when what they are trusted by lasts"],
    ["heddle inspect authorities --mesh default -o yaml", "the same of one mesh, for a program"],
  ]);
}

const STYLES: Readonly<Record<string, Style>> = { ready: "green", starting: "yellow", down: "red" };

/** A paragraph for each authority, then what will go wrong unless somebody acts. */
export function render(answers: readonly MeshAnswer<AuthorityRow>[], now: Date, paint: Paint = plain): string {
  const lines = answers.flatMap(({ mesh, rows, warnings }) => [
    ...rows.flatMap((row) => paragraph(row, now, paint)),
    ...warnings.map((warning) => `${paint("yellow", "!")} ${mesh}: ${warning}`),
  ]);
  return lines.length === 0 ? "No mesh has a certificate authority: mutual TLS is off" : lines.join("\n");
}

function paragraph(row: AuthorityRow, now: Date, paint: Paint): readonly string[] {
  const { mesh, name, type, signs, state, reason, since, availabilitySeconds, issuer, roots } = row;
  const downFor = since === undefined ? "" : ` for ${age(since, now)}`;
  const head = `${mesh}/${name} (${type ?? "unknown"}): ${paint(STYLES[state] ?? "dim", state)}${downFor}`;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["reason", reason],
    [
      "signs",
      signs ? `yes; certificates outlast it by ${wait(availabilitySeconds)} or more` : "no, it is only trusted",
    ],
    ["issuer", issuer && certificate(issuer, now)],
    ...roots.map((root) => [root.trustedUntil === undefined ? "root" : "earlier", certificate(root, now)] as const),
  ];
  return [head, ...facts.flatMap(([title, value]) => (value === undefined ? [] : [`  ${title.padEnd(7)} ${value}`]))];
}

function certificate({ subject, expiresAt, trustedUntil }: AuthorityCertificate, now: Date): string {
  const end = `${subject ?? "without a subject"}, ends ${ahead(expiresAt, now)} (${expiresAt})`;
  return trustedUntil === undefined ? end : `${end}, signs no more, trusted until ${trustedUntil}`;
}

function wait(seconds: number | undefined): string {
  if (seconds === undefined) return "an unknown time";
  const start = new Date(0).toISOString();
  return age(start, new Date(seconds * 1_000)) ?? "";
}
