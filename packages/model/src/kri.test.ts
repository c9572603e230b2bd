import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatKri, kriOf, parseKri } from "./kri.ts";

const part = fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,8}[a-z0-9])?$/);
const maybe = fc.oneof(part, fc.constant(""));
const kri = fc.record(
  { shortName: part, mesh: maybe, zone: maybe, namespace: maybe, name: part, section: maybe },
  { noNullPrototype: true },
);

test("parseKri() reads back what formatKri() writes", () => {
  fc.assert(fc.property(kri, (each) => assert.deepEqual(parseKri(formatKri(each), "ref"), { ok: true, value: each })));
});

test("formatKri() gives different resources different texts", () => {
  fc.assert(
    fc.property(kri, kri, (a, b) => {
      assert.equal(formatKri(a) === formatKri(b), JSON.stringify(a) === JSON.stringify(b));
    }),
  );
});

test("kriOf() takes zone, namespace and the name that the user gave from the labels", () => {
  const labels = {
    "kuma.io/zone": "east",
    "k8s.kuma.io/namespace": "shop",
    "kuma.io/display-name": "slow",
  };
  const found = kriOf("mt", { mesh: "default", name: "slow-7fd8x", labels }, "http");
  assert.equal(formatKri(found), "kri_mt_default_east_shop_slow_http");
  assert.equal(formatKri(kriOf("mt", { mesh: "default", name: "slow", labels: {} })), "kri_mt_default___slow_");
});

for (const text of [
  "",
  "kri",
  "mt_default___slow_",
  "kri_mt_default___slow",
  "kri__default___slow_",
  "kri_mt_default____",
  "kri_mt_default___slow__x",
]) {
  test(`parseKri() refuses ${JSON.stringify(text)} and shows what one looks like`, () => {
    const parsed = parseKri(text, "ref");
    assert.equal(parsed.ok, false);
    assert.match(JSON.stringify(parsed), /kri_mt_default_zone-1__slow_/);
  });
}
