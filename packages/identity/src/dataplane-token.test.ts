import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkDataplaneClaims, type DataplaneClaims, type ProxyFacts } from "./dataplane-token.ts";

const open: DataplaneClaims = { name: "", mesh: "default", tags: {}, type: "", workload: "" };
const proxy: ProxyFacts = {
  mesh: "default",
  name: "backend-1",
  type: "dataplane",
  tagSets: [
    { "kuma.io/service": "backend", version: "v1" },
    { "kuma.io/service": "backend-admin", version: "v1" },
  ],
  labels: { team: "shop", "kuma.io/workload": "backend" },
  identityUsesWorkload: false,
};

const accepted: readonly (readonly [string, Partial<DataplaneClaims>])[] = [
  ["bound to the mesh only", {}],
  ["bound to its name", { name: "backend-1" }],
  ["of type dataplane", { type: "dataplane" }],
  ["with all values of a tag", { tags: { "kuma.io/service": ["backend", "backend-admin"] } }],
  ["with more values than it has", { tags: { version: ["v1", "v2"] } }],
  ["bound to a label", { tags: { team: ["shop"] } }],
  ["bound to its workload", { workload: "backend" }],
];

for (const [what, claims] of accepted) {
  test(`checkDataplaneClaims() accepts a token ${what}`, () => {
    assert.equal(checkDataplaneClaims({ ...open, ...claims }, proxy), undefined);
  });
}

const refused: readonly (readonly [string, Partial<DataplaneClaims>, string])[] = [
  ["of another mesh", { mesh: "other" }, 'the token is for mesh "other", but the proxy has "default"'],
  ["of another proxy", { name: "web" }, 'the token is for name "web", but the proxy has "backend-1"'],
  ["of a zone proxy", { type: "ingress" }, 'the token is for proxy type "ingress", but the proxy has "dataplane"'],
  [
    "that allows only some of its services",
    { tags: { "kuma.io/service": ["backend"] } },
    'the token is for tag "kuma.io/service" "backend", but the proxy has "backend-admin"',
  ],
  [
    "with a tag it lacks",
    { tags: { region: ["eu"] } },
    'the token requires the tag "region", which the proxy does not have',
  ],
  ["with another label", { tags: { team: ["bank"] } }, 'the token is for tag "team" "bank", but the proxy has "shop"'],
  ["of another workload", { workload: "web" }, 'the token is for workload "web", but the proxy has "backend"'],
  [
    "with a tag named like a method",
    { tags: { toString: ["x"] } },
    'the token requires the tag "toString", which the proxy does not have',
  ],
];

for (const [what, claims, reason] of refused) {
  test(`checkDataplaneClaims() refuses a token ${what}`, () => {
    assert.equal(checkDataplaneClaims({ ...open, ...claims }, proxy), reason);
  });
}

test("checkDataplaneClaims() wants the workload named when the identity is made from it", () => {
  const strict = { ...proxy, identityUsesWorkload: true };
  assert.match(checkDataplaneClaims(open, strict) ?? "", /names no workload.*--workload=backend/);
  assert.equal(checkDataplaneClaims({ ...open, workload: "backend" }, strict), undefined);
  assert.equal(checkDataplaneClaims(open, { ...strict, labels: {} }), undefined);
});

test("checkDataplaneClaims() refuses a workload token for a proxy without workload", () => {
  const reason = checkDataplaneClaims({ ...open, workload: "backend" }, { ...proxy, labels: {} });
  assert.equal(reason, 'the token is for workload "backend", but the proxy has none');
});

test("checkDataplaneClaims() accepts what a proxy has, and refuses it once one value is not allowed", () => {
  const word = fc.stringMatching(/^[a-z]{1,6}$/);
  const tags = fc.dictionary(word, word, { minKeys: 1, maxKeys: 5, noNullPrototype: true });
  fc.assert(
    fc.property(tags, fc.nat(), (set, pick) => {
      const bare = { ...proxy, labels: {}, tagSets: [set] };
      const allowed = Object.fromEntries(Object.entries(set).map(([tag, value]) => [tag, [value, "another"]]));
      assert.equal(checkDataplaneClaims({ ...open, tags: allowed }, bare), undefined);
      const keys = Object.keys(set);
      const narrowed = { ...allowed, [keys[pick % keys.length] ?? ""]: ["SOMETHING-ELSE"] };
      assert.notEqual(checkDataplaneClaims({ ...open, tags: narrowed }, bare), undefined);
    }),
  );
});
