import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { idOf, Memo, ObjectMemo } from "./memo.ts";

test("Memo.get() makes a result once, and again when it is no longer current", () => {
  const memo = new Memo();
  let made = 0;
  const make = () => ({ number: (made += 1) });
  assert.equal(memo.get("a", make), memo.get("a", make));
  assert.equal(made, 1);
  assert.equal(memo.get("a", make, ({ number }) => number === 1).number, 1);
  assert.equal(memo.get("a", make, ({ number }) => number === 2).number, 2);
  assert.equal(memo.get("a", make).number, 2);
});

test("Memo.get() remembers at most two generations, and what is asked for again stays", () => {
  const memo = new Memo(2);
  let made = 0;
  const ask = (key: string) => memo.get(key, () => ({ number: (made += 1) })).number;
  assert.equal(ask("used"), 1);
  for (const key of ["b", "c", "d", "e", "f"]) {
    ask(key);
    assert.equal(ask("used"), 1);
  }
  made = 100;
  assert.equal(ask("b"), 101);
});

test("Memo.share() gives the same object while somebody uses it, and lets go of it afterwards", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
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
