import assert from "node:assert/strict";
import { test } from "node:test";
import { colored, plain } from "./paint.ts";
import { renderDiff } from "./render-diff.ts";

const WRITTEN = { type: "MeshTimeout", mesh: "default", name: "slow", spec: { to: [{ idle: "5s" }] } };
const STORED = {
  ...WRITTEN,
  creationTime: "2026-11-23T12:00:00Z",
  modificationTime: "2026-11-23T12:00:00Z",
  kri: "kri_x",
};

test("renderDiff() shows nothing when only what the control plane adds differs, or the order of fields", () => {
  const { spec, ...meta } = WRITTEN;
  assert.equal(renderDiff("t", STORED, { spec, ...meta }, plain), "");
});

test("renderDiff() leaves out labels that the control plane sets, and keeps those that users set", () => {
  const labels = { "kuma.io/zone": "z", "k8s.kuma.io/namespace": "n", team: "a" };
  const text = renderDiff("t", { ...STORED, labels }, WRITTEN, plain);
  assert.match(text, /^-  team: a$/m);
  assert.doesNotMatch(text, /kuma\.io/);
  assert.match(
    renderDiff("t", { ...STORED, labels }, { ...WRITTEN, labels: { "kuma.io/zone": "y" } }, plain),
    /^-  kuma\.io\/zone: z$/m,
  );
});

test("renderDiff() shows the lines that differ", () => {
  const text = renderDiff("MeshTimeout default/slow", STORED, { ...WRITTEN, spec: { to: [{ idle: "9s" }] } }, plain);
  const lines = text.split("\n");
  assert.equal(lines[0], "MeshTimeout default/slow");
  assert.ok(lines.includes("-    - idle: 5s"));
  assert.ok(lines.includes("+    - idle: 9s"));
});

test("renderDiff() shows a new document as added lines, in green", () => {
  const [, ...lines] = renderDiff("t", undefined, WRITTEN, colored).split("\n");
  assert.ok(lines.length >= 5);
  assert.ok(lines.every((line) => line === colored("green", line.replace(/\u001b\[[0-9;]*m/g, ""))));
});
