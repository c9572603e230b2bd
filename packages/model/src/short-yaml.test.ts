import assert from "node:assert/strict";
import { test } from "node:test";
import { kindRegistry } from "./kind.ts";
import { proxyTemplate } from "./legacy/proxy-template.ts";
import { parseResource } from "./parse-resource.ts";
import { readShortYaml } from "./short-yaml.ts";

test("readShortYaml() reads what people write, and says where a mistake is", () => {
  assert.deepEqual(readShortYaml("a: { b: [1, x] }\n"), { ok: true, value: { a: { b: [1, "x"] } } });
  assert.deepEqual(readShortYaml("a: 1\nb: [1\n"), {
    ok: false,
    reason: "Flow sequence in block collection must be sufficiently indented and end with a ] at line 3, column 1",
  });
});

const hostile: readonly (readonly [string, string])[] = [
  ["braces that close nothing", `a: ${"} ".repeat(4_000)}`],
  ["mistakes behind empty lines", `a: 1${"\n".repeat(4_900)}b: { c: 1 } }`],
  ["keys", `{${Array.from({ length: 1_200 }, (_, index) => `k${index}: 1`).join()}}`],
  ["lists that hold themselves", "&a [*a]"],
  ["quotes", '"'.repeat(60_000)],
  ["brackets", "[".repeat(60_000)],
  ["what is longer than any", "x".repeat(1_000_000)],
];

for (const [what, text] of hostile) {
  test(`readShortYaml() takes or refuses ${what} within the time that others may wait`, () => {
    const times = Array.from({ length: 4 }, () => {
      const before = process.threadCpuUsage();
      readShortYaml(text);
      const { user, system } = process.threadCpuUsage(before);
      return user + system;
    });
    assert.ok(Math.min(...times) < 50_000, `it took ${times.join()} µs`);
  });
}

test("parseResource() refuses a ProxyTemplate with more of Envoy's YAML than a MeshProxyPatch may have", () => {
  const resource = `a: ${"} ".repeat(100_000)}`;
  const raw = {
    type: "ProxyTemplate",
    mesh: "default",
    name: "x",
    selectors: [{ match: { "kuma.io/service": "*" } }],
    conf: { resources: [{ name: "r", resource }] },
  };
  const before = process.threadCpuUsage();
  const parsed = parseResource(kindRegistry([proxyTemplate]), raw);
  const { user, system } = process.threadCpuUsage(before);
  assert.ok(!parsed.ok && parsed.violations.some(({ message }) => message.includes("64 KiB")), JSON.stringify(parsed));
  assert.ok(user + system < 50_000, `it took ${user + system} µs`);
});
