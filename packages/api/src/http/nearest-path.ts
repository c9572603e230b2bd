import { nearest } from "@heddle/model/schema.ts";

/** Whether a path is one that the template means: "/meshes/{mesh}" means "/meshes/default". */
export function matchesTemplate(template: string, path: string): boolean {
  const wanted = segmentsOf(template);
  const given = segmentsOf(path);
  return wanted.length === given.length && wanted.every((segment, index) => fits(segment, given[index] ?? ""));
}

/** The path that a mistyped one most likely meant, if one is near: "/meshs/default" → "/meshes/default". */
export function nearestPath(templates: readonly string[], path: string): string | undefined {
  const given = segmentsOf(path);
  if (given.length > 16) return undefined;
  let candidates = templates.map(segmentsOf).filter((candidate) => candidate.length === given.length);
  const found: string[] = [];
  for (const [index, segment] of given.entries()) {
    const repaired = repair(candidates, index, segment);
    if (repaired === undefined) return undefined;
    found.push(repaired);
    candidates = candidates.filter((candidate) => fits(candidate[index] ?? "", repaired));
  }
  return candidates.length === 0 ? undefined : `/${found.join("/")}`;
}

/** The segment itself when a template has it or takes any, else the nearest that a template has. */
function repair(candidates: readonly (readonly string[])[], index: number, segment: string): string | undefined {
  const options = [...new Set(candidates.map((candidate) => candidate[index] ?? ""))];
  if (options.includes(segment)) return segment;
  const fixed = options.filter((option) => !isParameter(option));
  const near = nearest(segment, fixed);
  return near ?? (options.some(isParameter) ? segment : undefined);
}

function fits(wanted: string, given: string): boolean {
  return isParameter(wanted) ? given !== "" : wanted === given;
}

function isParameter(segment: string): boolean {
  return segment.startsWith("{");
}

function segmentsOf(path: string): readonly string[] {
  return path.split("/").filter((segment) => segment !== "");
}
