import assert from "node:assert/strict";
import { test } from "node:test";
import { after, newCa, newIntermediate, NOW } from "./testkit.ts";
import { anchorsOf, formatRoots, nextRoots, parseRoots } from "./trusted-roots.ts";

const HOUR = { now: NOW, lifeMillis: 3_600_000 };

test("nextRoots() trusts an earlier root for as long as a certificate of it may be alive", () => {
  const first = nextRoots([], ["a"], HOUR);
  assert.deepEqual(first, [{ pem: "a" }]);
  const second = nextRoots(first, ["b"], HOUR);
  assert.deepEqual(second, [{ pem: "b" }, { pem: "a", until: after(3_600) }]);
  const third = nextRoots(second, ["b"], { ...HOUR, now: after(1_800) });
  assert.deepEqual(third, second, "its time is counted from when it stopped, not from each look");
  assert.deepEqual(nextRoots(third, ["b"], { ...HOUR, now: after(3_600) }), [{ pem: "b" }]);
});

test("nextRoots() takes a root back that signs again", () => {
  const known = nextRoots(nextRoots([], ["a"], HOUR), ["b"], HOUR);
  assert.deepEqual(nextRoots(known, ["a"], HOUR), [{ pem: "a" }, { pem: "b", until: after(3_600) }]);
});

test("formatRoots() and parseRoots() are each other's reverse", async () => {
  const [a, b] = await Promise.all([newCa("a"), newCa("b")]);
  const roots = [{ pem: a.trustAnchorPem }, { pem: b.trustAnchorPem, until: NOW }];
  assert.deepEqual(parseRoots(formatRoots(roots)), roots);
  assert.deepEqual(parseRoots(""), []);
});

test("anchorsOf() is the root of a chain, or its last certificate when the root is not in it", async () => {
  const root = await newCa();
  const { certificatePem: intermediate } = await newIntermediate(root);
  assert.deepEqual(anchorsOf([intermediate, root.trustAnchorPem]), [root.trustAnchorPem]);
  assert.deepEqual(anchorsOf([intermediate]), [intermediate]);
  assert.deepEqual(anchorsOf([]), []);
});
