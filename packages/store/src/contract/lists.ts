import assert from "node:assert/strict";
import type { Resource } from "@heddle/model/resource.ts";
import type { ListQuery, Page, Store } from "@heddle/model/store.ts";
import type { ContractTest } from "../contract.ts";
import { assertRefused, keyOf, sample } from "./samples.ts";

/** Lists: order, filters, pages, and that pages stay right while others write. */
export function listContract(test: ContractTest): void {
  filtering(test);
  paging(test);
}

function filtering(test: ContractTest): void {
  test("list() gives one type, ordered by mesh, then name", async (store) => {
    const keys = ["b/2", "a/9", "b/10", "a/1", "a-b/1", "b/1"].map((text) => text.split("/"));
    for (const [mesh = "", name = ""] of keys) await store.create(sample(name, { mesh }));
    await store.create(sample("other", { type: "MeshRetry", mesh: "a" }));
    const page = await store.list({ type: "MeshTimeout" });
    assert.deepEqual(page.items.map(placeText), ["a/1", "a/9", "a-b/1", "b/1", "b/10", "b/2"]);
    assert.equal(page.total, 6);
    assert.equal(page.next, undefined);
  });

  test("list() of a type that was never stored is empty", async (store) => {
    assert.deepEqual(await store.list({ type: "MeshTimeout" }), { items: [], total: 0 });
  });

  test("list() keeps to a mesh, and to resources without one", async (store) => {
    for (const mesh of ["", "a", "a-b", "a/b", "a1", "ab", "b"]) await store.create(sample("x", { mesh }));
    for (const mesh of ["", "a", "ab", "none"]) {
      const { items } = await store.list({ type: "MeshTimeout", mesh });
      assert.deepEqual(items.map(placeText), mesh === "none" ? [] : [`${mesh}/x`]);
    }
  });

  test("list() finds parts of names", async (store) => {
    for (const name of ["web-1", "web-2", "api.web", "API", "%", "_"]) await store.create(sample(name));
    assert.deepEqual(await names(store, { nameContains: "web" }), ["api.web", "web-1", "web-2"]);
    assert.deepEqual(await names(store, { nameContains: "%" }), ["%"]);
    assert.deepEqual(await names(store, { nameContains: "api" }), ["api.web"]);
    assert.equal((await names(store, { nameContains: "" })).length, 6);
  });

  test("list() wants all the labels it is given, and nothing else", async (store) => {
    await store.create(sample("both", { labels: { zone: "east", team: "red" } }));
    await store.create(sample("one", { labels: { zone: "east" } }));
    await store.create(sample("none"));
    assert.deepEqual(await names(store, { labels: { zone: "east" } }), ["both", "one"]);
    assert.deepEqual(await names(store, { labels: { zone: "east", team: "red" } }), ["both"]);
    assert.deepEqual(await names(store, { labels: { zone: "" } }), []);
    assert.deepEqual(await names(store, { labels: { toString: "east" } }), []);
    assert.equal((await names(store, { labels: {} })).length, 3);
  });

  test("list() asks where() before it counts and cuts pages", async (store) => {
    await createMany(store, 20);
    const where = ({ spec }: Resource): boolean => (spec as { index: number }).index % 2 === 0;
    const page = await store.list({ type: "MeshTimeout", where, size: 3 });
    assert.deepEqual(page.items.map(nameOf), ["n00", "n02", "n04"]);
    assert.equal(page.total, 10);
  });

  test("list() shows updates and deletes once they are acknowledged", async (store) => {
    const created = await store.create(sample("a"));
    await store.create(sample("b"));
    const updated = await store.update(sample("a", { spec: "new" }), created.version);
    await store.delete(keyOf(sample("b")));
    assert.deepEqual((await store.list({ type: "MeshTimeout" })).items, [updated]);
  });
}

function paging(test: ContractTest): void {
  test("list() gives pages that together are the whole, each with the total", async (store) => {
    await createMany(store, 23);
    const pages = await allPages(store, 5);
    assert.deepEqual(
      pages.map((page) => page.items.length),
      [5, 5, 5, 5, 3],
    );
    assert.deepEqual(
      pages.map((page) => page.total),
      [23, 23, 23, 23, 23],
    );
    assert.deepEqual(
      pages.flatMap((page) => page.items.map(nameOf)),
      await names(store, {}),
    );
  });

  test("list() has no next page when the last one is exactly full", async (store) => {
    await createMany(store, 10);
    assert.deepEqual(
      (await allPages(store, 5)).map((page) => page.items.length),
      [5, 5],
    );
    assert.equal((await store.list({ type: "MeshTimeout", size: 10 })).next, undefined);
  });

  test("list() pages skip and repeat nothing while others create and delete", async (store) => {
    await createMany(store, 20);
    const first = await store.list({ type: "MeshTimeout", size: 10 });
    assert.ok(first.next !== undefined);
    for (const name of ["n00", "n05", "n09"]) await store.delete(keyOf(sample(name)));
    for (const name of ["a", "n01b", "n13b"]) await store.create(sample(name));
    const second = await store.list({ type: "MeshTimeout", size: 10, offset: first.next });
    const rest = ["n10", "n11", "n12", "n13", "n13b", "n14", "n15", "n16", "n17", "n18"];
    assert.deepEqual(second.items.map(nameOf), rest);
    assert.equal(second.total, 20);
    const third = await store.list({ type: "MeshTimeout", size: 10, offset: second.next ?? "" });
    assert.deepEqual(third.items.map(nameOf), ["n19"]);
  });

  test("list() pages run over meshes and odd names", async (store) => {
    for (const mesh of ["a", "a/b", "ü"]) {
      for (const name of ["x", "x/y", "ä名", "%&?="]) await store.create(sample(name, { mesh }));
    }
    const paged = (await allPages(store, 1)).flatMap((page) => page.items.map(placeText));
    assert.equal(new Set(paged).size, 12);
    assert.deepEqual(paged, (await store.list({ type: "MeshTimeout" })).items.map(placeText));
  });

  test("list() refuses sizes and offsets that mean nothing", async (store) => {
    await createMany(store, 3);
    for (const size of [0, -1, Number.NaN]) {
      await assertRefused(store.list({ type: "MeshTimeout", size }), "invalid", "MeshTimeout");
    }
    for (const offset of ["2", "", "nonsense", "bnVsbA"]) {
      await assertRefused(store.list({ type: "MeshTimeout", offset }), "invalid", `"${offset}"`);
    }
  });
}

async function createMany(store: Store, count: number): Promise<void> {
  const indexes = Array.from({ length: count }, (_, index) => index);
  const create = (index: number): Promise<Resource> =>
    store.create(sample(`n${String(index).padStart(2, "0")}`, { spec: { index } }));
  await Promise.all(indexes.toReversed().map(create));
}

async function allPages(store: Store, size: number): Promise<readonly Page[]> {
  const pages: Page[] = [];
  let offset: string | undefined;
  do {
    const page: Page = await store.list({ type: "MeshTimeout", size, ...(offset === undefined ? {} : { offset }) });
    pages.push(page);
    assert.ok(pages.length <= 50, "the pages have no end");
    offset = page.next;
  } while (offset !== undefined);
  return pages;
}

async function names(store: Store, query: Omit<ListQuery, "type">): Promise<readonly string[]> {
  const { items } = await store.list({ type: "MeshTimeout", ...query });
  return items.map(nameOf);
}

function nameOf(resource: Resource): string {
  return resource.name;
}

function placeText({ mesh, name }: Resource): string {
  return `${mesh}/${name}`;
}
