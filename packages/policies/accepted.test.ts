import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, type Compiled } from "@heddle/engine/compile.ts";
import { Memo } from "@heddle/engine/memo.ts";
import { anySpec, SMALL_MESH } from "@heddle/engine/testkit/any-spec.ts";
import { decoded } from "@heddle/engine/testkit/decode.ts";
import { whyEnvoyRefuses } from "@heddle/engine/testkit/envoy-accepts.ts";
import { isDataplane, meshOf } from "@heddle/engine/testkit/mesh-of.ts";
import { parseDocuments } from "@heddle/engine/testkit/parse-documents.ts";
import { resource } from "@heddle/engine/testkit/resource.ts";
import type { Resource } from "@heddle/model/resource.ts";
import fc, { type Arbitrary } from "fast-check";
import { stringify } from "yaml";
import { policies } from "./index.ts";

/** How many meshes are made up, of one to four policies each. HEDDLE_RANDOM_MESHES=5000 looks for longer. */
const MESHES = Number(process.env["HEDDLE_RANDOM_MESHES"] ?? 240);
const BATCH = 60;
const CHANCE = Number(process.env["HEDDLE_RANDOM_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

const { resources: world } = parseDocuments(SMALL_MESH, policies);

// Patches are Envoy's own messages: what Envoy refuses of them is held back and told, and has tests of its own.
const anyPolicy: Arbitrary<Resource> = fc.oneof(
  ...policies
    .filter(({ kind }) => kind.type !== "MeshProxyPatch")
    .map(({ kind }) =>
      fc
        .tuple(fc.constantFrom("a", "b"), anySpec(kind))
        .map(([name, spec]) => resource(kind.type, name, JSON.parse(JSON.stringify(spec)) as unknown)),
    ),
);
const anyPolicies = fc.uniqueArray(anyPolicy, {
  minLength: 1,
  maxLength: 4,
  selector: ({ type, name }) => `${type} ${name}`,
});

for (const seed of [1, CHANCE]) {
  test(`Envoy accepts what any accepted policies make of a proxy (seed ${seed})`, { timeout: 600_000 }, async () => {
    const all = fc.sample(anyPolicies, { numRuns: Math.ceil(MESHES / 2), seed });
    for (let start = 0; start < all.length; start += BATCH) {
      const refused = await firstRefused(all.slice(start, start + BATCH));
      if (refused !== undefined) assert.fail(await explained(refused));
    }
  });
}

test("compile() gives the same bytes twice, and fails for no policies that were accepted", () => {
  for (const some of fc.sample(anyPolicies, { numRuns: MESHES, seed: CHANCE })) {
    assert.deepEqual(versionsOf(compiledWith(some)), versionsOf(compiledWith(some)), `seed ${CHANCE}`);
  }
});

test("no policy changes what Envoy cannot change of a listener that is there", () => {
  const before = fixedParts(compiledWith([]));
  assert.ok(before.size >= 5, `${before.size} listeners`);
  for (const [name, { address }] of before) assert.ok(address !== undefined, `listener "${name}" is nowhere`);
  for (const some of fc.sample(anyPolicies, { numRuns: MESHES, seed: CHANCE })) {
    for (const [name, fixed] of fixedParts(compiledWith(some)))
      assert.deepEqual(fixed, before.get(name) ?? fixed, `listener "${name}", seed ${CHANCE}: ${JSON.stringify(some)}`);
  }
});

test("every kind of policy is among those that are made up, with more than its least", () => {
  const all = fc.sample(anyPolicy, { numRuns: 40 * policies.length, seed: 1 });
  const sizes = Map.groupBy(all, ({ type }) => type);
  for (const { kind } of policies.filter((each) => each.kind.type !== "MeshProxyPatch")) {
    const texts = new Set(sizes.get(kind.type)?.map(({ spec }) => JSON.stringify(spec)));
    assert.ok(texts.size >= 10, `only ${texts.size} different ${kind.type} were made up`);
  }
});

function compiledWith(some: readonly Resource[]): Compiled {
  const mesh = meshOf([...world, ...some]);
  const entry = mesh.dataplanes.get(world.find(isDataplane)?.name ?? "");
  assert.ok(entry !== undefined);
  return compile(mesh, entry, policies, new Memo());
}

function versionsOf({ resources }: Compiled): readonly string[] {
  return [...resources.values()].flatMap((byName) => [...byName].map(([name, { version }]) => `${name} ${version}`));
}

const LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener";
const FIXED = ["address", "additionalAddresses", "enableReusePort", "bindToPort", "socketOptions"];

/** By listener what stays as long as it is there: its sockets. Envoy refuses to change how they share their port. */
function fixedParts({ resources }: Compiled): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  const listeners = [...(resources.get(LISTENER) ?? [])];
  return new Map(
    listeners.map(([name, encoded]) => {
      const message = decoded(encoded);
      return [name, Object.fromEntries(FIXED.map((field) => [field, message[field]]))];
    }),
  );
}

type Policies = readonly Resource[];

async function refusal(all: readonly Policies[]): Promise<string | undefined> {
  return whyEnvoyRefuses(all.map((some, index) => ({ name: String(index), compiled: compiledWith(some) })));
}

/** Envoy only says what is wrong first, so halves are tried until one is left. */
async function firstRefused(all: readonly Policies[]): Promise<Policies | undefined> {
  if ((await refusal(all)) === undefined) return undefined;
  const [only] = all;
  if (all.length <= 1) return only;
  const middle = Math.ceil(all.length / 2);
  return (await firstRefused(all.slice(0, middle))) ?? (await firstRefused(all.slice(middle)));
}

/** The fewest of these policies that Envoy still refuses, and its words. */
async function explained(some: Policies): Promise<string> {
  let fewest = some;
  for (const each of some) {
    const fewer = fewest.filter((other) => other !== each);
    if (fewer.length > 0 && (await refusal([fewer])) !== undefined) fewest = fewer;
  }
  const documents = fewest.map(({ type, name, spec }) => stringify({ type, name, spec }));
  return `Envoy refuses what these make of a proxy:\n${documents.join("---\n")}\n${await refusal([fewest])}`;
}
