import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { JsonObject } from "@bufbuild/protobuf";
import { compile } from "@heddle/engine/compile.ts";
import { Memo } from "@heddle/engine/memo.ts";
import type { Policy } from "@heddle/engine/policy.ts";
import { assignmentsOf } from "@heddle/engine/testkit/assignments.ts";
import { decoded } from "@heddle/engine/testkit/decode.ts";
import { isDataplane, meshOf } from "@heddle/engine/testkit/mesh-of.ts";
import { parseDocuments } from "@heddle/engine/testkit/parse-documents.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { PolicyFailure } from "@heddle/model/policy-failure.ts";
import { parseWith } from "@heddle/model/schema.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { differingPaths } from "./envoy-paths.ts";
import { type Place, placesIn } from "./schema-fields.ts";
import { variantsOf } from "./variants.ts";

/** What a field, or one of its words, does in one case: the fields of Envoy that change when it is another one. */
export interface Effect {
  readonly field: string;
  readonly value: unknown;
  readonly case: string;
  readonly paths: readonly string[];
}

// Enough to be shown; a fourth case tells nothing that three did not.
const CASES_SHOWN = 3;

/** What the cases in a folder show of each field of a policy: every golden case is compiled with other values of it. */
export function effectsIn(folder: string, policy: Policy, policies: readonly Policy[]): readonly Effect[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".yaml") && !file.endsWith(".golden.yaml"));
  const effects: Effect[] = [];
  const shown = new Map<string, number>();
  for (const file of files.toSorted()) {
    const name = basename(file, ".yaml");
    for (const found of effectsOf(readFileSync(join(folder, file), "utf8"), { policy, policies, shown })) {
      effects.push({ ...found, case: name });
    }
  }
  return effects;
}

interface Context {
  readonly policy: Policy;
  readonly policies: readonly Policy[];
  /** How many cases have shown an effect, by field and word. */
  readonly shown: Map<string, number>;
}

function effectsOf(yaml: string, { policy, policies, shown }: Context): readonly Omit<Effect, "case">[] {
  const { resources, violations } = parseDocuments(yaml, policies);
  if (Object.keys(violations).length > 0) return [];
  const memo = new Memo();
  const configurationOf = (all: readonly Resource[]): Configuration | undefined => configuration(all, policies, memo);
  const base = configurationOf(resources);
  if (base === undefined) return [];
  const found = new Map<string, Omit<Effect, "case">>();
  for (const resource of resources.filter(({ type }) => type === policy.kind.type)) {
    for (const place of placesIn(policy.kind.schema, resource.spec)) {
      const key = `${place.field} ${isWord(place) ? String(place.value) : ""}`;
      if ((shown.get(key) ?? 0) >= CASES_SHOWN) continue;
      const others = resources.filter((other) => other !== resource);
      const paths = pathsAt(place, resource.spec, (spec) => {
        if (spec === undefined) return changedPaths(base, configurationOf(others));
        if (!isValid(policy, spec)) return undefined;
        const at = resources.indexOf(resource);
        return changedPaths(base, configurationOf(others.toSpliced(at, 0, { ...resource, spec, version: 2 })));
      });
      const before = found.get(key)?.paths ?? [];
      found.set(key, { field: place.field, value: place.value, paths: [...new Set([...before, ...paths])] });
    }
  }
  for (const [key, { paths }] of found) if (paths.length > 0) shown.set(key, (shown.get(key) ?? 0) + 1);
  return [...found.values()];
}

/**
 * The first variant that is valid tells which difference the field makes, and the next ones, as long as they leave the
 * item that it stands in.
 */
function pathsAt(
  place: Place,
  spec: unknown,
  differ: (spec: unknown) => readonly string[] | undefined,
): readonly string[] {
  let isTold = false;
  for (const { spec: variant, isWhole } of variantsOf(spec, place)) {
    if (isTold && isWhole) return [];
    const paths = differ(variant);
    if (paths !== undefined && paths.length > 0) return paths;
    isTold ||= paths !== undefined;
  }
  return isTold ? [] : (differ(undefined) ?? []);
}

function isWord({ schema }: Place): boolean {
  return schema._zod.def.type === "enum" || schema._zod.def.type === "literal";
}

function isValid({ kind }: Policy, spec: unknown): boolean {
  return parseWith(kind.schema, spec).ok && (kind.check?.(spec) ?? []).length === 0;
}

type Configuration = ReadonlyMap<string, EncodedResource>;

/** All that the first Dataplane gets, its endpoints too; nothing when a policy finds that it cannot be done. */
function configuration(
  resources: readonly Resource[],
  policies: readonly Policy[],
  memo: Memo,
): Configuration | undefined {
  const mesh = meshOf(resources);
  const entry = mesh.dataplanes.get(resources.find(isDataplane)?.name ?? "");
  if (entry === undefined) throw new Error("Cannot compile a case: no document is of type Dataplane; add one");
  try {
    const compiled = compile(mesh, entry, policies, memo);
    const all = [...compiled.resources.values()].flatMap((byName) => [...byName.values()]);
    const whole = [...all, ...assignmentsOf(mesh, compiled).values()];
    return new Map(whole.map((each) => [`${each.typeUrl} ${each.name}`, each]));
  } catch (error) {
    if (error instanceof PolicyFailure) return undefined;
    throw error;
  }
}

function changedPaths(before: Configuration, after: Configuration | undefined): readonly string[] | undefined {
  if (after === undefined) return undefined;
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  const changed = keys.filter((key) => before.get(key)?.version !== after.get(key)?.version);
  return [...new Set(changed.flatMap((key) => [...differingPaths(json(before.get(key)), json(after.get(key)))]))];
}

const decodedOnce = new WeakMap<EncodedResource, JsonObject>();

function json(resource: EncodedResource | undefined): JsonObject | undefined {
  if (resource === undefined) return undefined;
  const known = decodedOnce.get(resource) ?? decoded(resource);
  decodedOnce.set(resource, known);
  return known;
}
