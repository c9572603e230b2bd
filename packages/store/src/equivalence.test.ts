import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Resource } from "@heddle/model/resource.ts";
import { StoreError, type Store, type StoreEvent } from "@heddle/model/store.ts";
import { keyOf, sample } from "./contract/samples.ts";
import { openMemoryStore } from "./memory.ts";
import { openSqliteStore } from "./sqlite.ts";
import { temporaryFile } from "./sqlite/testkit.ts";

/** `age` 0 means the version that is current when the step begins, 1 an older one. */
type Step =
  | { readonly do: "write"; readonly writes: readonly Write[] }
  | { readonly do: "list"; readonly size: number; readonly nameContains: string }
  | { readonly do: "reopen" };

interface Write {
  readonly do: "create" | "update" | "delete" | "delete any version";
  readonly name: string;
  readonly mesh: string;
  readonly age: number;
  readonly spec: unknown;
  readonly durability: "full" | "relaxed";
}

const write: fc.Arbitrary<Write> = fc.record({
  do: fc.constantFrom("create", "update", "delete", "delete any version"),
  name: fc.constantFrom("a", "b", "c"),
  mesh: fc.constantFrom("", "default"),
  age: fc.constantFrom(0, 0, 0, 1),
  spec: fc.jsonValue(),
  durability: fc.constantFrom("full", "relaxed"),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant("write"), writes: fc.array(write, { minLength: 1, maxLength: 6 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("list"),
      size: fc.integer({ min: 1, max: 4 }),
      nameContains: fc.constantFrom("", "a"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reopen") }) },
);

test(
  "memory and SQLite give the same answers and events for any steps, over restarts",
  { timeout: 60_000 },
  async (t) => {
    const sequences = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const reopened = steps.filter((one) => one.do !== "reopen");
      const memory = await answersOf(reopened, () => Promise.resolve(openMemoryStore({ now: clock() })));
      const file = temporaryFile(t);
      const now = clock();
      const sqlite = await answersOf(steps, () => openSqliteStore({ file, now }));
      assert.deepEqual(sqlite, memory);
    });
    await fc.assert(sequences, { numRuns: 40 });
  },
);

/** Runs the steps and gives back all that a user of the store could see, in order. */
async function answersOf(steps: readonly Step[], open: () => Promise<Store>): Promise<readonly unknown[]> {
  const answers: unknown[] = [];
  let store = await open();
  for (const one of steps) {
    if (one.do === "reopen") {
      await store[Symbol.asyncDispose]();
      store = await open();
    } else {
      answers.push(await perform(store, one));
    }
  }
  answers.push((await store.list({ type: "MeshTimeout" })).items, await eventsOf(store), await store.revision());
  await store[Symbol.asyncDispose]();
  return answers;
}

async function perform(store: Store, one: Exclude<Step, { do: "reopen" }>): Promise<unknown> {
  if (one.do === "list") {
    const { size, nameContains } = one;
    const first = await store.list({ type: "MeshTimeout", size, nameContains });
    if (first.next === undefined) return first;
    return [first, await store.list({ type: "MeshTimeout", size, nameContains, offset: first.next })];
  }
  const current = await Promise.all(one.writes.map((each) => store.get(keyOf(resourceFor(each)))));
  return Promise.all(one.writes.map((each, index) => outcomeOf(store, each, current[index])));
}

async function outcomeOf(store: Store, each: Write, current: Resource | undefined): Promise<unknown> {
  try {
    return await send(store, each, (current?.version ?? 1) - each.age);
  } catch (error) {
    return error instanceof StoreError ? [error.code, error.message] : error;
  }
}

function send(store: Store, each: Write, version: number): Promise<Resource> {
  const { durability } = each;
  switch (each.do) {
    case "create":
      return store.create(resourceFor(each), { durability });
    case "update":
      return store.update(resourceFor(each), version, { durability });
    case "delete":
      return store.delete(keyOf(resourceFor(each)), version);
    case "delete any version":
      return store.delete(keyOf(resourceFor(each)));
  }
}

function resourceFor({ name, mesh, spec }: Write): ReturnType<typeof sample> {
  return sample(name, { mesh, spec });
}

async function eventsOf(store: Store): Promise<readonly (readonly StoreEvent[])[]> {
  const newest = await store.revision();
  const batches: (readonly StoreEvent[])[] = [];
  if (newest === 0) return batches;
  for await (const batch of store.watch({ after: 0, signal: AbortSignal.timeout(5_000) })) {
    batches.push(batch);
    if (batch.at(-1)?.revision === newest) break;
  }
  return batches;
}

/** Ticks once with every question, so two stores that ask as often see the same times. */
function clock(): () => Date {
  let seconds = 0;
  return () => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds++));
}
