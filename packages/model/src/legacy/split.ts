import { LABEL, type Labels } from "../labels.ts";
import type { BackendRef } from "../target-ref.ts";
import type { WhereTo } from "./traffic-route-schema.ts";

/** Whether requests go where they were sent. */
export function namesItself({ split, destination }: WhereTo): boolean {
  const parts = (split ?? []).filter(({ weight }) => weight > 0).map((part) => part.destination);
  const all = destination === undefined ? parts : [destination];
  return all.every((tags) => Object.keys(tags).length === 1 && tags[LABEL.service] === "*");
}

/** Where requests go in today's words; no reference at all means where they were sent. */
export function backendRefsOf(
  whereTo: WhereTo,
  field = "conf",
): { readonly refs: readonly BackendRef[]; readonly notes: readonly string[] } {
  if (namesItself(whereTo)) return { refs: [], notes: [] };
  const parts = whereTo.split ?? [{ destination: whereTo.destination ?? {}, weight: undefined }];
  const refs = parts.flatMap(({ destination, weight }) => refOf(destination, weight) ?? []);
  const notes = parts.flatMap(({ destination, weight }, index) => {
    const at = whereTo.split === undefined ? `${field}.destination` : `${field}.split[${index}].destination`;
    const isLost = weight !== 0 && refOf(destination, weight) === undefined;
    return isLost ? [`${at}: left out: a backend of today has a name, and "*" is none; name the service`] : [];
  });
  return { refs, notes };
}

function refOf(destination: Labels, weight: number | undefined): BackendRef | undefined {
  const { [LABEL.service]: name = "*", ...tags } = destination;
  if (weight === 0 || name === "*") return undefined;
  const share = weight === undefined ? {} : { weight };
  if (Object.keys(tags).length === 0) return { kind: "MeshService", name, ...share };
  return { kind: "MeshServiceSubset", name, tags, ...share };
}
