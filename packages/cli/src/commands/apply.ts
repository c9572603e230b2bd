import { listTypes } from "../api/resource-types.ts";
import { applyDocuments, bodyOf, resolveDocumentType, type Applied } from "../apply/apply-documents.ts";
import type { Api } from "../api/api.ts";
import { AlreadyReported, CliError, UsageError } from "../cli-error.ts";
import type { Cli } from "../cli.ts";
import { addExamples, type CliCommand } from "../command-tree.ts";
import { connect } from "../connect.ts";
import type { Document } from "../documents/document.ts";
import { insisting } from "../documents/insisting.ts";
import { readDocuments } from "../documents/read-documents.ts";
import { addPlace, addVariable } from "../documents/document-flags.ts";
import { durationFlag } from "../global-options.ts";
import { formatData } from "../output/data.ts";
import { appliedData, renderApplied } from "../output/render-applied.ts";
import { renderRollout } from "../output/render-rollout.ts";
import { renderError } from "../render-error.ts";
import { awaitRollout, hasFailed } from "../roll-out.ts";

interface Wish {
  readonly wait: boolean;
  readonly hold: boolean;
  readonly timeout: string;
  readonly diff?: true | undefined;
  readonly output?: "json" | "yaml" | undefined;
}

/** `heddle apply`: writes documents, then waits until every proxy concerned has taken them. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .argument("[file...]", "the same as -f")
    .option("-f, --file <place>", "file, folder, URL or - for standard input; may be repeated", addPlace)
    .option("-v, --var <key=value>", "value for {{ key }} in the documents; may be repeated", addVariable)
    .option("-m, --mesh <mesh>", "mesh of documents that name none", "default")
    .option("--no-wait", "do not wait for the proxies", true)
    .option("--no-hold", "send policies to all proxies at once, and leave them there whatever a proxy says", true)
    .option("--timeout <duration>", "longest wait for the proxies", "30s")
    .option("--dry-run", "write nothing; tell which proxies would change")
    .option("--diff", "write nothing; show how documents and proxies would change")
    .addOption(command.createOption("-o, --output <format>", "data for programs").choices(["json", "yaml"] as const))
    .action(async (files, options) => {
      const places = [...(options.file ?? []), ...files];
      if (places.length === 0)
        throw new UsageError("Cannot apply: no file is named", { next: ["heddle apply -f FILE"] });
      const api = await connect(typed, cli);
      const read = { stdin: cli.stdin, signal: cli.signal, variables: options.var ?? {}, mesh: options.mesh };
      const written = await readDocuments(places, read);
      const documents = options.hold ? written : insisting(written, await listTypes(api));
      await (options.dryRun || options.diff
        ? preview(api, cli, documents, options)
        : apply(api, cli, documents, options));
    });
  addExamples(typed, [
    ["heddle apply -f policy.yaml", "write a file, and see every proxy take it"],
    ["heddle apply -f mesh/ -v zone=east", "all files of a folder, with {{ zone }} filled in"],
    ["cat policy.yaml | heddle apply -f -", "from standard input"],
    ["heddle apply -f policy.yaml --diff", "write nothing, show what would change at which proxy"],
  ]);
}

async function apply(api: Api, cli: Cli, documents: readonly Document[], wish: Wish): Promise<void> {
  const { terminal } = cli;
  const timeout = durationFlag("--timeout", wish.timeout);
  const since = performance.now();
  const applied = await applyDocuments(api, await listTypes(api), documents, (each) => {
    if (wish.output === undefined) terminal.print(renderApplied(each, terminal.paint));
    tellMore(each, cli);
  });
  const written = applied.filter((each) => each.outcome !== "failed");
  const rollout = wish.wait ? await awaitRollout(api, cli, written, { timeout, since }) : undefined;
  if (wish.output !== undefined) terminal.print(await formatData(appliedData(applied, rollout), wish.output));
  else if (rollout !== undefined) terminal.print(renderRollout(rollout, terminal.paint));
  if (written.length < applied.length || hasFailed(rollout)) throw new AlreadyReported();
}

function tellMore(applied: Applied, { terminal }: Cli): void {
  if (applied.outcome !== "failed") {
    for (const warning of applied.warnings) terminal.note(`${terminal.paintNote("yellow", "warning:")} ${warning}`);
    return;
  }
  const { message, details, next } = applied.error;
  const placed = new CliError(message, { details: [`in ${applied.document.place}`, ...details], next });
  terminal.note(renderError(placed, terminal.paintNote));
}

async function preview(api: Api, cli: Cli, documents: readonly Document[], wish: Wish): Promise<void> {
  const { print, paint } = cli.terminal;
  const types = await listTypes(api);
  const bodies = await Promise.all(documents.map((each) => placedBody(types, each)));
  const { askPlan } = await import("../apply/plan.ts");
  const diff = wish.diff === true;
  const plan = await askPlan(api, bodies, diff);
  if (wish.output !== undefined) print(await formatData(plan, wish.output));
  else {
    const { renderPlan } = await import("../output/render-plan.ts");
    if (diff) await printDiffs(api, cli, types, documents);
    print(renderPlan(plan, diff, paint));
  }
  if (plan.documents.some(({ outcome }) => outcome === "invalid")) throw new AlreadyReported();
}

async function placedBody(types: Awaited<ReturnType<typeof listTypes>>, document: Document): Promise<unknown> {
  try {
    return bodyOf(await resolveDocumentType(types, document), document);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const details = [`in ${document.place}`, ...error.details];
    throw new CliError(error.message, { details, next: error.next, cause: error });
  }
}

async function printDiffs(
  api: Api,
  { terminal: { print, paint } }: Cli,
  types: Awaited<ReturnType<typeof listTypes>>,
  documents: readonly Document[],
): Promise<void> {
  const [{ readPreviews }, { renderDiff }] = await Promise.all([
    import("../apply/preview.ts"),
    import("../output/render-diff.ts"),
  ]);
  for (const { title, before, after } of await readPreviews(api, types, documents)) {
    const text = renderDiff(title, before, after, paint);
    if (text !== "") print(text);
  }
}
