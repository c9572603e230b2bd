import type { Effect } from "./effects.ts";
import type { Field } from "./schema-fields.ts";

/** What the cases show of one field, or of one word that it may be. */
export interface Row {
  readonly field: string;
  readonly word: string | undefined;
  readonly paths: readonly string[];
  readonly cases: readonly string[];
  /** Why Envoy gets nothing of it, where that is meant. */
  readonly reason: string | undefined;
}

/** Why fields change nothing in Envoy, by field, by "field = word", or by what several fields begin with. */
export type Reasons = Readonly<Record<string, string>>;

/** One row a field, and one more for each of its words. */
export function rowsOf(fields: readonly Field[], effects: readonly Effect[], reasons: Reasons): readonly Row[] {
  const all = effects.map((effect) => ({ ...effect, field: asRule(effect.field, fields) }));
  return fields
    .filter(({ path }) => asRule(path, fields) === path)
    .flatMap(({ path, values }) => {
      const its = all.filter(({ field, paths }) => field === path && paths.length > 0);
      const row = (word: string | undefined): Row => {
        const shown = word === undefined ? its : its.filter(({ value }) => String(value) === word);
        return {
          field: path,
          word,
          paths: [...new Set(shown.flatMap(({ paths }) => paths))].toSorted(),
          cases: [...new Set(shown.map((effect) => effect.case))],
          reason: reasonFor(nameOf(path, word), reasons)?.[1],
        };
      };
      return [row(undefined), ...(values.length > 1 ? values.map(row) : [])];
    });
}

/** Kuma 2.x's `from` says of callers what `rules` says, and becomes the same. */
function asRule(field: string, fields: readonly Field[]): string {
  const rule = field.replace(/^from\[\]/, "rules[]");
  return fields.some(({ path }) => path === rule) ? rule : field;
}

/** Rows that nothing shows, and reasons that nothing needs: what is wrong with the cases of a policy, a line each. */
export function gapsIn(folder: string, rows: readonly Row[], reasons: Reasons): readonly string[] {
  const gaps = rows.filter(({ paths, reason }) => paths.length === 0 && reason === undefined);
  const excused = rows.filter(({ paths }) => paths.length === 0);
  const idle = Object.keys(reasons).filter(
    (key) => !excused.some(({ field, word }) => reasonFor(nameOf(field, word), { [key]: "" }) !== undefined),
  );
  return [
    ...gaps.map(
      ({ field, word }) =>
        `packages/policies/${folder}: no golden case shows what ${nameOf(field, word)} does in Envoy; add one that sets it, or say why there is nothing to see in ${folder}/no-effect.yaml`,
    ),
    ...idle.map(
      (key) => `packages/policies/${folder}/no-effect.yaml: ${key} has an effect, or is no field; take it out`,
    ),
  ];
}

function reasonFor(name: string, reasons: Reasons): readonly [string, string] | undefined {
  return Object.entries(reasons).find(
    ([key]) => name === key || [".", "[", " "].some((next) => name.startsWith(`${key}${next}`)),
  );
}

function nameOf(field: string, word: string | undefined): string {
  return word === undefined ? field : `${field} = ${word}`;
}
