import { violationText } from "../api/explain-refusal.ts";
import type { PatchOperation, Plan, PlannedDocument, PlannedProxy, ResourceChange } from "../apply/plan.ts";
import type { Paint } from "./paint.ts";
import { shortTypeUrl } from "./render-rollout.ts";

const SENTENCES = {
  created: "would be created",
  updated: "would be updated",
  unchanged: "is unchanged",
  deleted: "would be deleted",
  invalid: "is not valid",
} as const;
const SIGNS = { added: "+", changed: "~", removed: "-" } as const;
const STYLES = { "+": "green", "~": "yellow", "-": "red" } as const;
// Proxies that a table of names would bury the rest under.
const MOST_PROXIES = 20;

/** A plan for people: the documents, then the proxies that would change; with `diff`, how each would change. */
export function renderPlan({ documents, proxies }: Plan, diff: boolean, paint: Paint): string {
  return [...documents.map((each) => renderPlanned(each, paint)), ...renderProxies(proxies, diff, paint)].join("\n");
}

function renderPlanned(document: PlannedDocument, paint: Paint): string {
  const sentence = SENTENCES[document.outcome];
  const title = `${document.type} ${document.mesh === "" ? "" : `${document.mesh}/`}${document.name}`;
  return [
    `${title} ${document.outcome === "invalid" ? paint("red", sentence) : sentence}`,
    ...document.violations.map((violation) => `  ${violationText(violation)}`),
    ...document.warnings.map((warning) => `  ${paint("yellow", "warning:")} ${warning}`),
  ].join("\n");
}

function renderProxies(proxies: readonly PlannedProxy[], diff: boolean, paint: Paint): readonly string[] {
  if (proxies.length === 0) return ["No proxy would change"];
  const shown = diff ? proxies : proxies.slice(0, MOST_PROXIES);
  const hidden = proxies.length - shown.length;
  return [
    `${proxies.length} ${proxies.length === 1 ? "proxy" : "proxies"} would change:`,
    ...shown.flatMap((proxy) => renderProxy(proxy, diff, paint)),
    ...(hidden === 0 ? [] : [`  and ${hidden} more: -o json shows all of them`]),
  ];
}

function renderProxy({ mesh, name, changes }: PlannedProxy, diff: boolean, paint: Paint): readonly string[] {
  const count = `${changes.length} ${changes.length === 1 ? "resource" : "resources"}`;
  return [`  ${mesh}/${name} (${count})`, ...(diff ? changes.flatMap((change) => renderChange(change, paint)) : [])];
}

function renderChange({ typeUrl, name, change, patch }: ResourceChange, paint: Paint): readonly string[] {
  const sign = SIGNS[change];
  const lines = change === "changed" ? patch.map((operation) => `      ${renderOperation(operation, paint)}`) : [];
  return [`    ${paint(STYLES[sign], sign)} ${shortTypeUrl(typeUrl)} ${name}`, ...lines];
}

function renderOperation({ op, path, value }: PatchOperation, paint: Paint): string {
  const sign = op === "add" ? "+" : op === "remove" ? "-" : "~";
  return paint(STYLES[sign], `${sign} ${path}${value === undefined ? "" : `  ${JSON.stringify(value)}`}`);
}
