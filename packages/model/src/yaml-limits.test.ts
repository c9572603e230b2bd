import assert from "node:assert/strict";
import { test } from "node:test";
import { whyTooMuchYaml } from "./yaml-limits.ts";

const outbound = "  - { port: 10001, backendRef: { kind: MeshService, name: backend, port: 80 } }\n";
const deepBlock = (levels: number): string =>
  Array.from({ length: levels }, (_, index) => `${" ".repeat(index)}k:\n`).join("");

const accepted: readonly (readonly [string, string])[] = [
  ["nothing", ""],
  ["300 outbounds", `type: Dataplane\nnetworking:\n  outbound:\n${outbound.repeat(300)}`],
  ["60 levels by brackets", "[".repeat(60) + "]".repeat(60)],
  ["60 levels by indentation", deepBlock(60)],
  ["a long text with marks in it", `value: |\n${"  - - - {[: x\n".repeat(5_000)}`],
  ["a long quoted text", `value: "${"- [ { : ".repeat(5_000)}"`],
  ["many lists beside each other", "- [a]\n- [b]\n".repeat(700)],
];

for (const [what, text] of accepted) {
  test(`whyTooMuchYaml() lets ${what} through`, () => {
    assert.equal(whyTooMuchYaml(text), undefined);
  });
}

const refused: readonly (readonly [string, string, RegExp])[] = [
  ["brackets", "[".repeat(60_000), /deeper/],
  ["brackets of both kinds", "{a: [".repeat(12_000), /deeper/],
  ["brackets after words", "[a,".repeat(20_000), /deeper/],
  ["mappings on one line", `a: ${"pec: ".repeat(10_000)}`, /deeper/],
  ["mappings that open on one line", `a: ${"pec: {".repeat(10_000)}`, /deeper/],
  ["dashes", "- ".repeat(30_000), /deeper/],
  ["question marks", "? ".repeat(30_000), /deeper/],
  ["dashes with tabs and tags between", "- !a\t- ".repeat(8_000), /deeper|more than/],
  ["mappings after brackets that nobody closed", `a:\n  - {\n${"b: ".repeat(5_000)}`, /deeper/],
  ["colons among brackets", `{ a: ${"b: ".repeat(5_000)}`, /deeper/],
  ["indentation", deepBlock(300), /deeper/],
  ["items", "- a\n".repeat(16_000), /words and marks/],
  ["commas", `[${"a,".repeat(30_000)}]`, /words and marks/],
  ["aliases", `a: &a x\n${"- *a\n".repeat(10_000)}`, /words and marks/],
  ["stray brackets", "]\n".repeat(30_000), /words and marks/],
  ["empty quotes", '"'.repeat(60_000), /words and marks/],
  ["directives", "%x\n".repeat(20_000), /directives/],
];

for (const [what, text, reason] of refused) {
  test(`whyTooMuchYaml() refuses ${what} by the thousand within the time that others may wait`, () => {
    whyTooMuchYaml(text);
    const before = process.threadCpuUsage();
    assert.match(whyTooMuchYaml(text) ?? "", reason);
    const { user, system } = process.threadCpuUsage(before);
    assert.ok(user + system < 50_000, `it took ${user + system} µs`);
  });
}
