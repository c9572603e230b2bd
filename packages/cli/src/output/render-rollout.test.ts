import assert from "node:assert/strict";
import { test } from "node:test";
import type { Rejection, Rollout } from "../api/rollout.ts";
import { plain } from "./paint.ts";
import { renderProgress, renderRollout } from "./render-rollout.ts";

const DONE: Rollout = { affected: 3, acked: 3, rejected: [], elapsedMillis: 12, state: "done" };
const REJECTION: Rejection = {
  mesh: "default",
  name: "web-1",
  typeUrl: "type.googleapis.com/envoy.config.listener.v3.Listener",
  resources: ["inbound:8080"],
  detail: "filter chain 0:\n  no filters",
  origins: ["kri_mt_default___slow_"],
};

test("renderRollout() says in one line how many proxies acknowledged, and how fast", () => {
  assert.equal(renderRollout(DONE, plain), "ACKed 3/3 proxies in 12 ms");
  assert.equal(renderRollout({ ...DONE, affected: 1, acked: 1 }, plain), "ACKed 1/1 proxy in 12 ms");
});

test("renderRollout() says when a change concerns no proxy", () => {
  assert.equal(renderRollout({ ...DONE, affected: 0, acked: 0 }, plain), "No proxy is concerned");
});

test("renderRollout() gives Envoy's words, the Envoy resource and the origin of what was refused", () => {
  const text = renderRollout({ ...DONE, acked: 2, rejected: [REJECTION] }, plain);
  assert.equal(
    text,
    [
      "ACKed 2/3 proxies in 12 ms, 1 refused",
      "NACK default/web-1 refuses it and keeps its last good configuration",
      "  resource  Listener inbound:8080",
      "  Envoy     filter chain 0:",
      "              no filters",
      "  origin    kri_mt_default___slow_",
      "  -> heddle inspect dataplane web-1 --mesh default",
    ].join("\n"),
  );
});

test("renderRollout() says who did not answer in time", () => {
  const text = renderRollout({ ...DONE, acked: 1, elapsedMillis: 30_000, state: "timed out" }, plain);
  assert.equal(text, "ACKed 1/3 proxies; the others gave no answer in 30.0 s, see: heddle inspect dataplanes");
});

test("renderProgress() counts", () => {
  assert.equal(renderProgress({ ...DONE, acked: 1, state: "running" }), "ACKed 1/3 proxies");
  assert.equal(renderProgress({ ...DONE, affected: 0, acked: 0, state: "running" }), "Waiting for the proxies");
});
