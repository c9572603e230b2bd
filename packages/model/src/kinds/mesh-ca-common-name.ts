import type { Violation } from "../violation.ts";

const PLACE = /\{\{-?\s*(.*?)\s*-?\}\}/g;
const TAG = /^tag\s+(?:"([^"]+)"|`([^`]+)`)$/;
const REPLACE = /^replace\s+"([^"]*)"\s+"([^"]*)"$/;
const ALLOWED = 'must use {{ tag "key" }} and {{ tag "key" | replace "old" "new" }} only';

/** What is wrong with a template of a common name that may be left out. */
export function checkCommonName(template: string | undefined, field: string): readonly Violation[] {
  const message = template === undefined ? undefined : commonNameProblem(template);
  return message === undefined ? [] : [{ field, message }];
}

/** What is wrong with a template of a common name; undefined when nothing is. */
export function commonNameProblem(template: string): string | undefined {
  const isKnown = (text: string): boolean => text.split("|").every((step, index) => isStep(step.trim(), index));
  const places = [...template.matchAll(PLACE)].map(([, inside = ""]) => inside);
  const rest = template.replace(PLACE, "");
  return places.every(isKnown) && !/\{\{|\}\}/.test(rest) ? undefined : ALLOWED;
}

/**
 * Fills a template that `commonNameProblem` has nothing to say about, the part of Go's templates that Kong Mesh
 * documents. A proxy without one of the tags gets no common name: undefined.
 */
export function renderCommonName(template: string, tag: (key: string) => string | undefined): string | undefined {
  let isWhole = true;
  const name = template.replace(PLACE, (_, inside: string) => {
    const [first = "", ...steps] = inside.split("|").map((step) => step.trim());
    const [, plain, quoted] = TAG.exec(first) ?? [];
    const value = tag(plain ?? quoted ?? "");
    if (value === undefined) isWhole = false;
    return steps.reduce(replaced, value ?? "");
  });
  return isWhole ? name : undefined;
}

function isStep(step: string, index: number): boolean {
  return index === 0 ? TAG.test(step) : REPLACE.test(step);
}

function replaced(value: string, step: string): string {
  const [, old = "", next = ""] = REPLACE.exec(step) ?? [];
  return old === "" ? value : value.replaceAll(old, next);
}
