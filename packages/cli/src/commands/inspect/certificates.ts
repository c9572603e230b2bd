import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { connect } from "../../connect.ts";
import { askMeshes } from "../../inspect/ask-meshes.ts";
import { type CertificateRow, type MeshAnswer, parseCertificates } from "../../inspect/certificate-rows.ts";
import { serverCertificateWarnings } from "../../inspect/server-certificates.ts";
import { age, ahead } from "../../output/age.ts";
import { formatData } from "../../output/data.ts";
import { type Paint, plain, type Style } from "../../output/paint.ts";
import { table, type TableOptions } from "../../output/table.ts";

/** `heddle inspect certificates`: the proxies' certificates, those at risk first, and how long the control plane may be away. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .option("-m, --mesh <mesh>", "only the proxies of this mesh; those of all when unset")
    .addOption(
      command
        .createOption("-o, --output <format>", "how to show it")
        .choices(["table", "wide", "yaml", "json"] as const)
        .default("table" as const),
    )
    .action(async ({ mesh, output }) => {
      const api = await connect(typed, cli);
      const answers = await askMeshes(api, { mesh, below: "_certificates", action: "look at the certificates" });
      const { print, paint, width } = cli.terminal;
      if (output === "json" || output === "yaml") return print(await formatData(asData(answers), output));
      const found = answers.map((each) => parseCertificates(each.mesh, each.answer));
      print(render(found, { now: cli.now(), paint, table: { wide: output === "wide", width } }));
      const own = mesh === undefined ? await serverCertificateWarnings(api) : [];
      for (const warning of own) print(`${paint("yellow", "!")} control plane: ${warning}`);
    });
  addExamples(typed, [
    ["heddle inspect certificates", "all proxies' certificates, those at risk first"],
    ["heddle inspect certificates --mesh default -o json", "the same for a program"],
  ]);
}

/** The answers as they came, each with its mesh. */
export function asData(answers: readonly { readonly mesh: string; readonly answer: unknown }[]): readonly object[] {
  return answers.map(({ mesh, answer }) => ({ mesh, ...(answer as object) }));
}

interface Look {
  readonly now: Date;
  readonly paint?: Paint;
  readonly table?: TableOptions;
}

/** A line for each certificate, then what is at risk, then until when the control plane may be away. */
export function render(
  answers: readonly MeshAnswer<CertificateRow>[],
  { now, paint = plain, table: options = {} }: Look,
): string {
  const rows = answers.flatMap((each) => each.rows);
  if (rows.length === 0) return "No proxy has a certificate: mutual TLS is off, or there are no proxies";
  const lines = table(
    rows,
    [
      { title: "MESH", value: ({ mesh }) => mesh },
      { title: "NAME", value: ({ name }) => name },
      { title: "STATE", value: (row) => stateOf(row, paint) },
      { title: "EXPIRES", value: ({ expiresAt }) => ahead(expiresAt, now) },
      { title: "RENEWS", value: ({ renewsAt }) => ahead(renewsAt, now) },
      { title: "ISSUED", value: ({ issuedAt }) => ago(age(issuedAt, now)) },
      { title: "ISSUER", value: ({ issuer }) => issuer },
      { title: "SPIFFE ID", value: ({ spiffeIds }) => spiffeIds.join(" ") },
      { title: "REASON", value: ({ reason }) => reason, wide: true },
    ],
    options,
  );
  return [lines, "", ...answers.flatMap((each) => [...warnings(each, paint), ...outage(each, now)])]
    .join("\n")
    .trimEnd();
}

function warnings({ mesh, warnings: all }: MeshAnswer<unknown>, paint: Paint): readonly string[] {
  return all.map((warning) => `${paint("yellow", "!")} ${mesh}: ${warning}`);
}

function outage({ mesh, firstExpiry }: MeshAnswer<CertificateRow>, now: Date): readonly string[] {
  if (firstExpiry === undefined) return [];
  const { name, expiresAt } = firstExpiry;
  const when = `${expiresAt} (${ahead(expiresAt, now)})`;
  if (new Date(expiresAt) <= now) return [`${mesh}: without a new certificate ${name} is refused since ${when}`];
  return [`${mesh}: the control plane may be away until ${when}; then the certificate of ${name} ends`];
}

const STYLES: Readonly<Record<string, Style>> = {
  missing: "red",
  expired: "red",
  expiring: "red",
  due: "yellow",
  unacknowledged: "yellow",
  renewing: "cyan",
  ok: "green",
};

function stateOf({ online, state }: CertificateRow, paint: Paint): string {
  return online ? paint(STYLES[state] ?? "dim", state) : paint("dim", `${state}, offline`);
}

function ago(span: string | undefined): string | undefined {
  return span === undefined ? undefined : `${span} ago`;
}
