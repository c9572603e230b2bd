import { displayName, LABEL, type Labels } from "./labels.ts";
import type { Parsed } from "./violation.ts";

/** A Kuma Resource Identifier: names a resource, or one of its sections, across meshes, zones and namespaces. */
export interface Kri {
  readonly shortName: string;
  readonly mesh: string;
  readonly zone: string;
  readonly namespace: string;
  readonly name: string;
  readonly section: string;
}

/** `kri_<short name>_<mesh>_<zone>_<namespace>_<name>_<section>`; what does not apply stays empty between underscores. */
export function formatKri(kri: Kri): string {
  return `kri_${kri.shortName}_${kri.mesh}_${kri.zone}_${kri.namespace}_${kri.name}_${kri.section}`;
}

/** The identifier of a resource as its labels describe it. */
export function kriOf(
  shortName: string,
  resource: { readonly mesh: string; readonly name: string; readonly labels: Labels },
  section = "",
): Kri {
  const { labels, mesh } = resource;
  return {
    shortName,
    mesh,
    zone: labels[LABEL.zone] ?? "",
    namespace: labels[LABEL.namespace] ?? "",
    name: displayName(resource),
    section,
  };
}

/** Reads the text form. Names hold no underscores (they are RFC 1123), so seven parts are the whole grammar. */
export function parseKri(text: string, field: string): Parsed<Kri> {
  const [prefix, shortName, mesh, zone, namespace, name, section, ...rest] = text.split("_");
  if (prefix !== "kri" || !shortName || !name || section === undefined || rest.length > 0 || mesh === undefined) {
    const message = `must look like "kri_mt_default_zone-1__slow_": kri, short name, mesh, zone, namespace, name, section`;
    return { ok: false, violations: [{ field, message }] };
  }
  return {
    ok: true,
    value: { shortName, mesh, zone: zone ?? "", namespace: namespace ?? "", name, section },
  };
}
