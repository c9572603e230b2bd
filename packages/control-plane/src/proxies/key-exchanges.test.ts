import assert from "node:assert/strict";
import { test } from "node:test";
import { resourceJson } from "@heddle/envoy/resource-json.ts";
import { adminTarget } from "../envoy-admin/admin-target.ts";
import { inspectPort } from "../envoy-admin/inspect-port.ts";
import { rateLimitCluster } from "../rate-limit/cluster.ts";
import { keyExchangesOf } from "./key-exchanges.ts";
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

const PAIR = { certificatePem: "certificate", keyPem: "key" };
const KEYS = { certificateOf: () => PAIR, callersPem: "callers", proxiesPem: "proxies", caller: PAIR };
const LOOPBACK = { host: "127.0.0.1", port: 5_679, serversPem: "servers", certificate: PAIR };

for (const [build, expected] of builds.slice(0, 3)) {
  const metadata = {
    version: { envoy: { build } },
    "dataplane.admin.socketPath": "/admin.sock",
    "dataplane.inspect.port": "4711",
  };

  test(`what an Envoy of build ${String(build)} shows and asks for beside the mesh is agreed on by ${String(expected)}`, () => {
    const target = adminTarget(metadata);
    assert.ok(target);
    const [listener] = inspectPort(KEYS, { mesh: "default", name: "web" }, target).resourcesOn("127.0.0.1");
    const cluster = rateLimitCluster({ ...LOOPBACK, keyExchanges: keyExchangesOf(metadata) });
    for (const resource of [listener, cluster]) {
      assert.ok(resource);
      const [, curves] = /"ecdhCurves":(\[[^\]]*\])/.exec(JSON.stringify(resourceJson(resource))) ?? [];
      assert.deepEqual(curves === undefined ? undefined : JSON.parse(curves), expected);
    }
  });
}
