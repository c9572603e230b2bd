import type { Labels } from "./labels.ts";

/** What a template of a HostnameGenerator may speak of. */
export interface HostnameContext {
  readonly name: string;
  readonly displayName: string;
  readonly namespace: string;
  readonly mesh: string;
  readonly zone: string;
  readonly labels: Labels;
}

/** A host name, or why there is none. */
export type Rendered =
  | { readonly ok: true; readonly hostname: string }
  | { readonly ok: false; readonly problem: string };

const PLACEHOLDER = /\{\{-?\s*(?:\.(\w+)|label\s+(?:"([^"]+)"|`([^`]+)`))\s*-?\}\}/g;
const FIELDS: Readonly<Record<string, Exclude<keyof HostnameContext, "labels">>> = {
  Name: "name",
  DisplayName: "displayName",
  Namespace: "namespace",
  Mesh: "mesh",
  Zone: "zone",
};

/**
 * Fills a template of a HostnameGenerator. Kuma's templates are Go templates; this is the part of them that Kuma
 * documents: `.Name`, `.DisplayName`, `.Namespace`, `.Mesh`, `.Zone` and `label "<key>"`.
 */
export function renderHostname(template: string, context: HostnameContext): Rendered {
  const problems: string[] = [];
  const hostname = template.replace(PLACEHOLDER, (whole, field?: string, label?: string, quoted?: string) => {
    const key = label ?? quoted;
    const known = FIELDS[field ?? ""];
    const value = key === undefined ? known && context[known] : context.labels[key];
    if (key === undefined && known === undefined) problems.push(`${whole} is not known here; ${ALLOWED}`);
    else if (value === undefined) problems.push(`label ${key} not found`);
    return value ?? "";
  });
  if (problems.length > 0) return { ok: false, problem: problems.join("; ") };
  if (hostname.includes("{{")) return { ok: false, problem: ALLOWED };
  return isDnsName(hostname)
    ? { ok: true, hostname }
    : { ok: false, problem: `"${hostname}" is not a DNS name of lower-case letters, digits, "-" and "."` };
}

const ALLOWED =
  'templates use {{ .DisplayName }}, {{ .Name }}, {{ .Namespace }}, {{ .Mesh }}, {{ .Zone }} and {{ label "key" }} only';

/** What is wrong with a template, seen before any service is there. */
export function templateProblem(template: string): string | undefined {
  // Every label has a value here, as it may have later.
  const labels = new Proxy<Record<string, string>>({}, { get: () => "label" });
  const example = { name: "name", displayName: "displayname", namespace: "namespace", mesh: "mesh", zone: "zone" };
  const rendered = renderHostname(template, { ...example, labels });
  return rendered.ok ? undefined : rendered.problem;
}

// RFC 1123, as Kubernetes reads it.
function isDnsName(text: string): boolean {
  return text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text);
}
