import assert from "node:assert/strict";
import type { ContractTest } from "../contract.ts";
import { assertRefused, keyOf, sample } from "./samples.ts";

const RFC_3339_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

const ODD_NAMES = [
  "a/b",
  "a%2Fb",
  "../etc/passwd",
  'It\'s "quoted"; DROP TABLE resources; --',
  "Ünïcödé-名前-🦊",
  "line\nbreak\ttab",
  " ",
  "",
  "__proto__",
  "constructor",
  "x".repeat(5_000),
];

const ODD_SPECS: readonly unknown[] = [
  null,
  [],
  {},
  "text",
  0,
  -1.5e-300,
  Number.MAX_SAFE_INTEGER,
  { deep: { er: [{ and: [[["deeper"]]] }] } },
  { empty: "", none: null, off: false, zero: 0, "key with / and . and \u0000": "\u0000\ud800" },
  JSON.parse('{ "__proto__": { "polluted": true } }'),
  { long: "x".repeat(200_000) },
];

/** Create, update, delete and get: what they give back, what they refuse, and that callers cannot reach inside. */
export function writeContract(test: ContractTest): void {
  creating(test);
  updating(test);
  deleting(test);
  racing(test);
  copying(test);
}

function creating(test: ContractTest): void {
  test("create() gives back what it stored, and get() the same", async (store) => {
    const wanted = sample("slow", { labels: { "kuma.io/zone": "east" }, status: { ready: true } });
    const created = await store.create(wanted);
    const { creationTime, modificationTime, version, ...rest } = created;
    assert.deepEqual(rest, wanted);
    assert.match(creationTime, RFC_3339_UTC);
    assert.equal(modificationTime, creationTime);
    assert.ok(Number.isSafeInteger(version));
    assert.deepEqual(await store.get(keyOf(wanted)), created);
  });

  test("create() refuses a key that is taken, and leaves what is there", async (store) => {
    const first = await store.create(sample("slow"));
    await assertRefused(store.create(sample("slow", { spec: {} })), "already_exists", "MeshTimeout/default/slow");
    assert.deepEqual(await store.get(keyOf(first)), first);
  });

  test("create() tells types, meshes and names apart, also when their joined text is the same", async (store) => {
    const keys = ["T|m|n", "T|m/n|", "T/m|n|", "T||m/n", "U|m|n", "T|m|N"].map((text) => text.split("|"));
    const wanted = keys.map(([type = "", mesh = "", name = ""]) => sample(name, { type, mesh, spec: { name, mesh } }));
    for (const resource of wanted) await store.create(resource);
    for (const resource of wanted) assert.deepEqual((await store.get(keyOf(resource)))?.spec, resource.spec);
  });

  test("create() takes names with odd characters", async (store) => {
    for (const name of ODD_NAMES) await store.create(sample(name, { spec: { name } }));
    for (const name of ODD_NAMES) assert.deepEqual((await store.get(keyOf(sample(name))))?.spec, { name });
    assert.equal((await store.list({ type: "MeshTimeout" })).total, ODD_NAMES.length);
  });

  test("create() refuses names that no database can keep apart", async (store) => {
    await assertRefused(store.create(sample("half \ud800")), "invalid");
    await assertRefused(store.create(sample("a\0b")), "invalid");
    assert.equal((await store.list({ type: "MeshTimeout" })).total, 0);
  });

  test("create() keeps every JSON value of a spec", async (store) => {
    for (const [index, spec] of ODD_SPECS.entries()) await store.create(sample(`s${index}`, { spec }));
    for (const [index, spec] of ODD_SPECS.entries()) {
      assert.equal(JSON.stringify((await store.get(keyOf(sample(`s${index}`))))?.spec), JSON.stringify(spec));
    }
  });

  test("create() refuses content that is not JSON", async (store) => {
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    await assertRefused(store.create(sample("a", { spec: circular })), "invalid", "MeshTimeout/default/a");
    await assertRefused(store.create(sample("b", { spec: { big: 1n } })), "invalid", "MeshTimeout/default/b");
  });
}

function updating(test: ContractTest): void {
  test("update() replaces the content, keeps the creation time and grows the version", async (store) => {
    const created = await store.create(sample("slow", { labels: { a: "1" }, status: { old: true } }));
    const updated = await store.update(sample("slow", { labels: { b: "2" }, spec: { idle: "2h" } }), created.version);
    assert.deepEqual(updated.spec, { idle: "2h" });
    assert.deepEqual(updated.labels, { b: "2" });
    assert.equal("status" in updated, false);
    assert.equal(updated.creationTime, created.creationTime);
    assert.ok(updated.modificationTime >= created.modificationTime);
    assert.ok(updated.version > created.version);
    assert.deepEqual(await store.get(keyOf(created)), updated);
  });

  test("update() refuses what is not there", async (store) => {
    await assertRefused(store.update(sample("ghost"), 1), "not_found", "MeshTimeout/default/ghost");
    assert.equal(await store.get(keyOf(sample("ghost"))), undefined);
  });

  test("update() refuses every version but the newest, and leaves what is there", async (store) => {
    const first = await store.create(sample("slow"));
    const second = await store.update(sample("slow", { spec: 2 }), first.version);
    for (const version of [first.version, second.version + 1, 0, -1, Number.NaN]) {
      await assertRefused(store.update(sample("slow", { spec: 3 }), version), "conflict", "MeshTimeout/default/slow");
    }
    assert.deepEqual(await store.get(keyOf(first)), second);
  });
}

function deleting(test: ContractTest): void {
  test("delete() gives back what it removed, and then it is gone", async (store) => {
    const created = await store.create(sample("slow"));
    assert.deepEqual(await store.delete(keyOf(created)), created);
    assert.equal(await store.get(keyOf(created)), undefined);
    await assertRefused(store.delete(keyOf(created)), "not_found", "MeshTimeout/default/slow");
  });

  test("delete() refuses an old version when one is given", async (store) => {
    const first = await store.create(sample("slow"));
    const second = await store.update(sample("slow"), first.version);
    await assertRefused(store.delete(keyOf(first), first.version), "conflict", "MeshTimeout/default/slow");
    assert.deepEqual(await store.delete(keyOf(first), second.version), second);
  });

  test("create() after delete() begins a new life that no old version can change", async (store) => {
    const first = await store.create(sample("slow"));
    await store.delete(keyOf(first));
    const second = await store.create(sample("slow"));
    assert.ok(second.version > first.version);
    await assertRefused(store.update(sample("slow"), first.version), "conflict");
    await assertRefused(store.delete(keyOf(first), first.version), "conflict");
  });
}

function racing(test: ContractTest): void {
  test("update() lets one of two racing writers win, and the other knows", async (store) => {
    const { version } = await store.create(sample("slow"));
    const writers = ["ann", "bob"].map((by) => store.update(sample("slow", { spec: { by } }), version));
    const results = await Promise.allSettled(writers);
    const won = results.filter((result) => result.status === "fulfilled");
    assert.equal(won.length, 1);
    assert.deepEqual(await store.get(keyOf(sample("slow"))), won[0]?.value);
    const lost = results.find((result) => result.status === "rejected");
    await assertRefused(Promise.reject(lost?.reason), "conflict");
  });

  test("create() lets one of ten racing writers win", async (store) => {
    const writers = Array.from({ length: 10 }, (_, by) => store.create(sample("slow", { spec: { by } })));
    const results = await Promise.allSettled(writers);
    assert.equal(results.filter((result) => result.status === "fulfilled").length, 1);
  });

  test("create() takes 1,000 writes at once, and each is there when acknowledged", async (store) => {
    const before = await store.revision();
    const write = async (index: number): Promise<number> => {
      const created = await store.create(sample(`n${index}`, { spec: { index } }));
      assert.deepEqual(await store.get(keyOf(created)), created);
      return created.version;
    };
    const versions = await Promise.all(Array.from({ length: 1_000 }, (_, index) => write(index)));
    assert.equal(new Set(versions).size, 1_000);
    assert.ok((await store.revision()) >= before + 1_000);
    assert.equal((await store.list({ type: "MeshTimeout" })).total, 1_000);
  });

  test("a write of each kind stays in order with the others on its key, relaxed or not", async (store) => {
    const created = store.create(sample("slow"), { durability: "relaxed" });
    const deleted = store.delete(keyOf(sample("slow")));
    const again = store.create(sample("slow", { spec: "again" }), { durability: "relaxed" });
    const refused = store.create(sample("slow"));
    assert.deepEqual(await deleted, await created);
    await assertRefused(refused, "already_exists");
    assert.deepEqual(await store.get(keyOf(sample("slow"))), await again);
  });
}

function copying(test: ContractTest): void {
  test("create() keeps a copy: changing what was handed in changes nothing", async (store) => {
    const mine = { labels: { a: "1" }, spec: { list: [1, 2], inner: { x: 1 } } };
    const creating = store.create(sample("slow", mine));
    mine.spec.list.push(3);
    mine.labels.a = "2";
    await creating;
    mine.spec.inner.x = 2;
    const stored = await store.get(keyOf(sample("slow")));
    assert.deepEqual(stored?.spec, { list: [1, 2], inner: { x: 1 } });
    assert.deepEqual(stored?.labels, { a: "1" });
  });

  test("get(), list() and the results of writes cannot be used to change the store", async (store) => {
    const created = await store.create(sample("slow", { spec: { inner: { x: 1 } }, labels: { a: "1" } }));
    const got = await store.get(keyOf(created));
    const { items } = await store.list({ type: "MeshTimeout" });
    for (const resource of [created, got, items[0]]) vandalise(resource);
    vandalise({ items });
    const after = await store.get(keyOf(sample("slow")));
    assert.deepEqual(after?.spec, { inner: { x: 1 } });
    assert.deepEqual(after?.labels, { a: "1" });
    assert.equal((await store.list({ type: "MeshTimeout" })).items.length, 1);
  });
}

/** Does what a careless caller could do; a frozen object throws, which is as good as a copy. */
function vandalise(target: unknown): void {
  const victim = target as { items: unknown[]; spec: { inner: { x: number } }; labels: Record<string, string> };
  const attacks = [
    () => (victim.spec.inner.x = 99),
    () => (victim.spec = { inner: { x: 99 } }),
    () => (victim.labels["a"] = "99"),
    () => victim.items.splice(0),
  ];
  for (const attack of attacks) {
    try {
      attack();
    } catch (error) {
      assert.ok(error instanceof TypeError);
    }
  }
}
