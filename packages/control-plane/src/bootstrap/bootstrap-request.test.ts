import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBootstrapRequest } from "./bootstrap-request.ts";

/** As a kuma-dp 3.0 sends it: Go's zero values for everything that is not set. */
const FROM_KUMA_DP = {
  mesh: "default",
  name: "backend-1",
  proxyType: "dataplane",
  dataplaneToken: "token",
  dataplaneTokenPath: "",
  dataplaneResource: "type: Dataplane",
  version: {
    kumaDp: { version: "3.0.1", gitTag: "3.0.1", gitCommit: "abc", buildDate: "2026-10-01" },
    envoy: { version: "1.39.6", build: "x/1.39.6/Clean/RELEASE/BoringSSL", kumaDpCompatible: true },
  },
  caCert: "",
  dynamicMetadata: null,
  dnsPort: 0,
  readinessPort: 9902,
  appProbeProxyDisabled: true,
  operatingSystem: "linux",
  features: null,
  resources: { maxHeapSizeBytes: 0 },
  workdir: "/tmp/kuma-dp-1",
  metricsResources: { certPath: "", keyPath: "" },
  systemCaPath: "",
  ipv6Enabled: true,
  spireResources: { socketPath: "" },
  otelEnv: null,
  aFieldOfTomorrow: { x: 1 },
};

test("parseBootstrapRequest() reads what kuma-dp sends, and takes Go's zero values for absent", () => {
  assert.deepEqual(parseBootstrapRequest(FROM_KUMA_DP), {
    ok: true,
    value: {
      mesh: "default",
      name: "backend-1",
      proxyType: "dataplane",
      dataplaneToken: "token",
      dataplaneResource: "type: Dataplane",
      version: { kumaDp: FROM_KUMA_DP.version.kumaDp, envoy: FROM_KUMA_DP.version.envoy },
      dynamicMetadata: {},
      appProbeProxyEnabled: true,
      features: [],
      operatingSystem: "linux",
      readinessPort: 9902,
      workdir: "/tmp/kuma-dp-1",
      ipv6Enabled: true,
    },
  });
});

test("parseBootstrapRequest() reads the smallest request", () => {
  const parsed = parseBootstrapRequest({ mesh: "m", name: "n" });
  assert.ok(parsed.ok);
  assert.equal(parsed.value.proxyType, "dataplane");
});

const refused = [
  ["no object", [], [""]],
  ["nothing", undefined, [""]],
  ["missing names", {}, ["mesh", "name"]],
  ["an empty name", { mesh: "m", name: "" }, ["name"]],
  ["an unknown proxy type", { mesh: "m", name: "n", proxyType: "gateway" }, ["proxyType"]],
  ["a port beyond the range", { mesh: "m", name: "n", adminPort: 70_000 }, ["adminPort"]],
  ["features that are no text", { mesh: "m", name: "n", features: ["a", 1] }, ["features[1]"]],
  [
    "a nested field of the wrong type",
    { mesh: "m", name: "n", resources: { maxHeapSizeBytes: "1GB" } },
    ["resources.maxHeapSizeBytes"],
  ],
  ["metadata that is no text", { mesh: "m", name: "n", dynamicMetadata: { a: 1 } }, ["dynamicMetadata.a"]],
] as const;

for (const [what, body, fields] of refused) {
  test(`parseBootstrapRequest() names the field for ${what}`, () => {
    const parsed = parseBootstrapRequest(body);
    assert.ok(!parsed.ok);
    assert.deepEqual(
      parsed.violations.map((each) => each.field),
      fields,
    );
  });
}
