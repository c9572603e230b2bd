import assert from "node:assert/strict";
import { test } from "node:test";
import { openMemoryStore } from "@heddle/store/memory.ts";
import { KINDS } from "../kinds.ts";
import { parseDataplane, register, REGISTERED_BY, removeGoneDataplane } from "./register.ts";

const PLACE = { mode: "zone", zone: "east", environment: "universal" } as const;
const KEY = { mesh: "default", name: "web-1" };
const JSON_TEXT = JSON.stringify({ type: "Dataplane", ...KEY, networking: { address: "10.0.0.1" } });

test("parseDataplane() reads JSON and YAML to the same Dataplane, with the labels of the control plane", () => {
  const fromJson = parseDataplane(KINDS, JSON_TEXT, KEY, PLACE);
  const fromYaml = parseDataplane(KINDS, "type: Dataplane\nnetworking: { address: 10.0.0.1 }\n", KEY, PLACE);
  assert.deepEqual(fromJson, fromYaml);
  assert.ok(fromJson.ok);
  assert.equal(fromJson.value.labels["kuma.io/zone"], "east");
});

const refused = [
  ["nests a thousand deep", `${"[".repeat(1_000)}${"]".repeat(1_000)}`],
  ["nests a thousand deep in JSON", `{"a":${"[".repeat(1_000)}${"]".repeat(1_000)}}`],
  ["repeats a key", '{"type":"Dataplane","type":"Dataplane"}'],
  ["is a YAML bomb", `a: &a [x,x]\n${"b: [*a,*a]\n"}c: &c [*a,*a,*a]\n`],
  ["is longer than YAML may be", `a: ${"x".repeat(70_000)}`],
  ["belongs to another mesh", JSON_TEXT.replace("default", "other")],
] as const;

for (const [what, text] of refused) {
  test(`parseDataplane() refuses a Dataplane that ${what}`, () => {
    const started = performance.now();
    assert.equal(parseDataplane(KINDS, text, KEY, PLACE).ok, false);
    assert.ok(performance.now() - started < 1_000);
  });
}

test("register() writes once, and keeps the labels of an operator's own Dataplane", async () => {
  const store = openMemoryStore();
  const parsed = parseDataplane(KINDS, JSON_TEXT, KEY, PLACE);
  assert.ok(parsed.ok);
  const first = await register(store, parsed.value);
  assert.equal((await register(store, parsed.value)).version, first.version);
  await store.update({ ...first, labels: { team: "a" } }, first.version);
  const kept = await register(store, parsed.value);
  assert.equal(kept.labels["team"], "a");
  assert.equal(kept.labels[REGISTERED_BY], undefined);
});

test("removeGoneDataplane() removes what came with the proxy, and nothing else", async () => {
  const store = openMemoryStore();
  const parsed = parseDataplane(KINDS, JSON_TEXT, KEY, PLACE);
  assert.ok(parsed.ok);
  await register(store, parsed.value);
  await removeGoneDataplane(store, KEY);
  assert.equal(await store.get({ type: "Dataplane", ...KEY }), undefined);
  const own = { type: "Dataplane", ...KEY, labels: {}, spec: { networking: { address: "10.0.0.1" } } };
  await store.create(own);
  await removeGoneDataplane(store, KEY);
  assert.notEqual(await store.get(own), undefined);
});
