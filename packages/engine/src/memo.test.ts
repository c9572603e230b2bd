import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { idOf, Memo, ObjectMemo, TextMemo } from "./memo.ts";

const collect = collector();

test("Memo.of().get() makes a result once, and again when it is no longer current", () => {
  const results = new Memo().of({});
  let made = 0;
  const make = () => ({ number: (made += 1) });
  assert.equal(results.get("a", make), results.get("a", make));
  assert.equal(made, 1);
  assert.equal(results.get("a", make, ({ number }) => number === 1).number, 1);
  assert.equal(results.get("a", make, ({ number }) => number === 2).number, 2);
  assert.equal(results.get("a", make).number, 2);
});

test("Memo.of() keeps results of owners apart", () => {
  const memo = new Memo();
  const [one, other] = [{}, {}];
  const made = memo.of(one).get("a", () => ({}));
  assert.notEqual(
    memo.of(other).get("a", () => ({})),
    made,
  );
  assert.equal(
    memo.of(one).get("a", () => ({})),
    made,
  );
});

test("Memo remembers at most two generations, and what is asked for again stays", () => {
  const memo = new Memo(2, 0);
  const owners = [{}, {}];
  let made = 0;
  const ask = (key: string, owner = 0) => memo.of(owners[owner] ?? {}).get(key, () => ({ number: (made += 1) })).number;
  assert.equal(ask("used"), 1);
  for (const [index, key] of ["b", "c", "d", "e", "f"].entries()) {
    ask(key, index % 2);
    assert.equal(ask("used"), 1);
  }
  made = 100;
  assert.equal(ask("b"), 101);
});

test("A generation of a Memo grows with the owners in use", () => {
  const memo = new Memo(2, 3);
  const owners = Array.from({ length: 100 }, () => ({}));
  const ask = () => owners.flatMap((owner) => ["a", "b"].map((key) => memo.of(owner).get(key, () => ({}))));
  const first = ask();
  assert.ok(ask().every((each, index) => each === first[index]));
});

test("Memo lets go of what belongs to an owner that is gone, also when results belong to results", async () => {
  const memo = new Memo();
  const make = (): WeakRef<object> => {
    const inner = memo.of({}).get("a", () => ({}));
    return new WeakRef(memo.of(inner).get("b", () => ({ inner })));
  };
  const result = make();
  // Objects that were asked for stay until the current task ends.
  await sleep(1);
  collect();
  assert.equal(result.deref(), undefined);
});

test("TextMemo.get() remembers at most two generations", () => {
  const memo = new TextMemo(2);
  const ask = (key: string) => memo.get(key, () => ({}));
  const [a, b] = [ask("a"), ask("b")];
  assert.equal(ask("a"), a);
  for (const key of ["c", "d", "e"]) ask(key);
  assert.notEqual(ask("b"), b);
});

test("Memo.share() gives the same object while somebody uses it, and lets go of it afterwards", async () => {
  const memo = new Memo();
  let made = 0;
  const make = () => ({ number: (made += 1) });
  const used = memo.share("used", make);
  assert.equal(memo.share("used", make), used);
  memo.share("unused", make);
  // Objects that were asked for stay until the current task ends.
  await sleep(1);
  collect();
  await sleep(1);
  assert.equal(memo.share("used", make), used);
  assert.equal(memo.share("unused", make).number, 3);
});

test("ObjectMemo.get() remembers that there is nothing", () => {
  const memo = new ObjectMemo<object, string | undefined>();
  const owner = {};
  let asked = 0;
  const make = () => void (asked += 1);
  assert.equal(memo.get(owner, "a", make), undefined);
  assert.equal(memo.get(owner, "a", make), undefined);
  assert.equal(asked, 1);
});

test("idOf() gives an object one number, and no two the same", () => {
  const objects = Array.from({ length: 100 }, () => ({}));
  const ids = objects.map(idOf);
  assert.deepEqual(objects.map(idOf), ids);
  assert.equal(new Set(ids).size, objects.length);
});

function collector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
