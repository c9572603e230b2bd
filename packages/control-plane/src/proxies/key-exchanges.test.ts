import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeFacts } from "./node-facts.ts";

const HYBRID = ["X25519MLKEM768", "X25519", "P-256"];

/** Builds as `envoy --version` tells them, and what their Envoy is told to agree on keys with. */
const builds = [
  ["dc2d3098ae5641555f15c71d5bb5ce0060a8015c/1.36.2/Clean/RELEASE/BoringSSL", HYBRID],
  ["6eb0d2d97489ec1b4e1584a004f5de443d97a41b/1.39.3/Clean/RELEASE/BoringSSL", HYBRID],
  ["9e5580933739775e8bce696a57a2e1bc99368f23/1.40.0/Clean/RELEASE/BoringSSL", undefined],
  ["dc2d3098ae5641555f15c71d5bb5ce0060a8015c/1.36.2/Clean/RELEASE/BoringSSL-FIPS", undefined],
  ["dc2d3098ae5641555f15c71d5bb5ce0060a8015c/1.36.2/Clean/RELEASE/OpenSSL", undefined],
  ["dc2d3098ae5641555f15c71d5bb5ce0060a8015c/1.35.0/Clean/RELEASE/BoringSSL", undefined],
  ["1.39.3", undefined],
  [undefined, undefined],
  [39, undefined],
] as const;

for (const [build, expected] of builds) {
  test(`nodeFacts() of Envoy ${String(build)} ask for ${String(expected)}`, () => {
    const facts = nodeFacts({ version: { envoy: { build } } }, { mesh: "default", name: "web" });
    assert.deepEqual(facts.keyExchanges, expected);
  });
}
