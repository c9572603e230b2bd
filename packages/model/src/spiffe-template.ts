import { LABEL } from "./labels.ts";
import { DEFAULT_SPIFFE_PATH, DEFAULT_TRUST_DOMAIN, renderSpiffeTemplate } from "./spiffe.ts";
import type { Violation } from "./violation.ts";

/** The templates of a MeshIdentity as a user writes them (`spec.spiffeID`). */
export interface SpiffeTemplates {
  readonly trustDomain?: string | undefined;
  readonly path?: string | undefined;
}

/**
 * What no proxy could make an identity from, found before any proxy is there. A path without its first slash would
 * silently become part of the trust domain: `spiffe://mesh.localworkload/web`.
 */
export function spiffeTemplateViolations(templates: SpiffeTemplates): readonly Violation[] {
  return [
    ...violationsIn(templates.trustDomain ?? DEFAULT_TRUST_DOMAIN, "spiffeID.trustDomain", TRUST_DOMAIN),
    ...violationsIn(templates.path ?? DEFAULT_SPIFFE_PATH, "spiffeID.path", PATH),
  ];
}

/** Whether the identity is made from the workload: then a proxy's token has to say which workload that may be. */
export function usesWorkload(templates: SpiffeTemplates): boolean {
  return /\{\{\s*(\.Workload|label\s+"kuma\.io\/workload")\s*\}\}/.test(templates.path ?? DEFAULT_SPIFFE_PATH);
}

interface Shape {
  readonly pattern: RegExp;
  readonly message: string;
}

// https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md, sections 2.1 to 2.3
const TRUST_DOMAIN: Shape = {
  pattern: /^[a-z0-9._-]{1,255}$/,
  message: 'must be a-z, 0-9, ".", "-" and "_" only, such as "{{ .Mesh }}.{{ .Zone }}.mesh.local"',
};
const PATH: Shape = {
  pattern: /^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._-]+)+$/,
  message:
    'must be "/" and a segment of letters, digits, ".", "-" and "_", once or more, such as "/workload/{{ .Workload }}"',
};

/** Fills every place with a value that any label may have, and looks at the result. */
function violationsIn(template: string, field: string, shape: Shape): readonly Violation[] {
  const labels = { [LABEL.workload]: "w", [LABEL.namespace]: "n", [LABEL.serviceAccount]: "s" };
  const withoutLabels = template.replace(/\{\{\s*label\s+"[^"]+"\s*\}\}/g, "l");
  const rendered = renderSpiffeTemplate(withoutLabels, { mesh: "m", zone: "z", labels }, field);
  if (!rendered.ok) return rendered.violations;
  return shape.pattern.test(rendered.value) ? [] : [{ field, message: shape.message }];
}
