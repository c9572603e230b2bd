import assert from "node:assert/strict";
import { test } from "node:test";
import type { Match } from "@heddle/model/target-ref.ts";
import type { InboundRule } from "../policy.ts";
import { callersOf } from "./callers.ts";

const exact = (value: string): Match => ({ spiffeID: { type: "Exact", value } });
const prefix = (value: string): Match => ({ spiffeID: { type: "Prefix", value } });
const sni = (value: string): Match => ({ sni: { type: "Exact", value } });

function rules(...each: readonly (readonly [readonly Match[], unknown])[]) {
  const origin = { type: "MeshTimeout", mesh: "default", name: "p", kri: "", rule: 0 };
  const list = each.map(([matches, conf]): InboundRule => ({
    client: matches.length === 0 ? undefined : { by: "matches", matches },
    conf,
    origin,
  }));
  return { rules: list, everyone: undefined, hash: "" };
}

test("callersOf() tries exact identities first, then longer prefixes, then server names", () => {
  const given = rules(
    [[sni("s")], 1],
    [[prefix("spiffe://m/")], 2],
    [[prefix("spiffe://m/web")], 3],
    [[exact("spiffe://m/x")], 4],
  );
  assert.deepEqual(
    callersOf(given).map(({ conf }) => conf),
    [4, 3, 2, 1],
  );
});

test("callersOf() tries the stronger rule first among equals", () => {
  const given = rules([[exact("spiffe://m/a")], "weak"], [[exact("spiffe://m/b")], "strong"]);
  assert.deepEqual(
    callersOf(given).map(({ conf }) => conf),
    ["strong", "weak"],
  );
});

test("callersOf() merges what rules say for the same match, each match of a rule by itself", () => {
  const given = rules(
    [[exact("spiffe://m/a"), exact("spiffe://m/b")], { x: 1, y: 1 }],
    [[exact("spiffe://m/a")], { y: 2 }],
  );
  assert.deepEqual(callersOf(given), [
    { match: exact("spiffe://m/a"), conf: { x: 1, y: 2 } },
    { match: exact("spiffe://m/b"), conf: { x: 1, y: 1 } },
  ]);
});

test("callersOf() leaves out what is for everybody", () => {
  assert.deepEqual(callersOf(rules([[], { x: 1 }])), []);
});
