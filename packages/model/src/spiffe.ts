import { LABEL, type Labels } from "./labels.ts";
import type { Parsed } from "./violation.ts";

/** What Kuma's templates for SPIFFE IDs may speak of. */
export interface SpiffeContext {
  readonly mesh: string;
  readonly zone: string;
  readonly labels: Labels;
}

/** The trust domain of a MeshIdentity that names none. */
export const DEFAULT_TRUST_DOMAIN = "{{ .Mesh }}.{{ .Zone }}.mesh.local";
/** The path of a MeshIdentity that names none, on Universal. */
export const DEFAULT_SPIFFE_PATH = "/workload/{{ .Workload }}";

const PLACEHOLDER = /\{\{\s*(?:\.(\w+)|label\s+"([^"]+)")\s*\}\}/g;

/**
 * Fills a template of a MeshIdentity. Kuma's templates are Go templates; this is the part of them that Kuma documents:
 * `.Mesh`, `.Zone`, `.Namespace`, `.ServiceAccount`, `.Workload` and `label "<key>"`.
 */
export function renderSpiffeTemplate(template: string, context: SpiffeContext, field: string): Parsed<string> {
  const missing: string[] = [];
  const text = template.replace(PLACEHOLDER, (whole, name: string | undefined, label: string | undefined) => {
    const value = label === undefined ? valueOf(name ?? "", context) : context.labels[label];
    if (value === undefined || value === "") missing.push(whole);
    return value ?? "";
  });
  if (text.includes("{{")) {
    const message =
      'may use {{ .Mesh }}, {{ .Zone }}, {{ .Namespace }}, {{ .ServiceAccount }}, {{ .Workload }} and {{ label "key" }} only';
    return { ok: false, violations: [{ field, message }] };
  }
  if (missing.length > 0) {
    return {
      ok: false,
      violations: [
        {
          field,
          message: `has no value for ${missing.join(", ")} on this proxy: give it the label`,
        },
      ],
    };
  }
  return { ok: true, value: text };
}

/** The SPIFFE ID a MeshIdentity gives to a proxy. */
export function spiffeId(
  templates: { trustDomain?: string | undefined; path?: string | undefined },
  context: SpiffeContext,
): Parsed<string> {
  const domain = renderSpiffeTemplate(
    templates.trustDomain ?? DEFAULT_TRUST_DOMAIN,
    context,
    "spec.spiffeID.trustDomain",
  );
  const path = renderSpiffeTemplate(templates.path ?? DEFAULT_SPIFFE_PATH, context, "spec.spiffeID.path");
  if (!domain.ok || !path.ok) {
    return {
      ok: false,
      violations: [...(domain.ok ? [] : domain.violations), ...(path.ok ? [] : path.violations)],
    };
  }
  return { ok: true, value: `spiffe://${domain.value}${path.value}` };
}

/** The services a proxy is under Mesh.mtls: its kuma.io/service tags, else its workload label, else its own name. */
export function meshServicesOf(tags: readonly Labels[], labels: Labels, name: string): readonly string[] {
  const services = tags.flatMap((set) => (set[LABEL.service] === undefined ? [] : [set[LABEL.service] ?? ""]));
  if (services.length > 0) return [...new Set(services)].toSorted();
  return [labels[LABEL.workload] ?? name];
}

/**
 * The URIs of a certificate under Mesh.mtls, as Kuma 2.x writes them: `spiffe://<mesh>/<service>` for each service,
 * then `kuma://<tag>/<value>` for every tag.
 */
export function meshCertificateUris(
  mesh: string,
  tags: readonly Labels[],
  services: readonly string[],
): readonly string[] {
  const pairs = tags.flatMap((set) => Object.entries(set).map(([key, value]) => `kuma://${key}/${value}`));
  return [...services.map((service) => `spiffe://${mesh}/${service}`), ...[...new Set(pairs)].toSorted()];
}

function valueOf(name: string, { mesh, zone, labels }: SpiffeContext): string | undefined {
  switch (name) {
    case "Mesh":
      return mesh;
    case "Zone":
      return zone;
    case "Namespace":
      return labels[LABEL.namespace];
    case "ServiceAccount":
      return labels[LABEL.serviceAccount];
    case "Workload":
      return labels[LABEL.workload];
    default:
      return undefined;
  }
}
