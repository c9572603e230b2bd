import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBandwidth } from "./bandwidth.ts";

test("parseBandwidth reads whole numbers of kbps, Mbps and Gbps, and nothing else", () => {
  const texts = ["50kbps", "10 Mbps", "1Gbps", "0kbps", "kbps", "10", "1.5Mbps", "10 kbits", "-1kbps", "1e3kbps", ""];
  const none = undefined;
  assert.deepEqual(texts.map(parseBandwidth), [50, 10_000, 1_000_000, none, none, none, none, none, none, none, none]);
});
