import assert from "node:assert/strict";
import { test } from "node:test";
import { ClusterSchema } from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import { HttpFilterSchema } from "@heddle/envoy/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { parseMessage } from "./parse-message.ts";
import { jsonOf } from "./to-json.ts";

test("parseMessage() reads names in both spellings, and extensions that nothing here is generated for", () => {
  const cluster = parseMessage(ClusterSchema, { name: "a", connect_timeout: "1.5s", altStatName: "b" }, "");
  assert.ok(cluster.ok);
  assert.deepEqual(jsonOf(ClusterSchema, cluster.value), { name: "a", connectTimeout: "1.500s", altStatName: "b" });
  const limit = "type.googleapis.com/envoy.extensions.filters.http.bandwidth_limit.v3.BandwidthLimit";
  const filter = parseMessage(HttpFilterSchema, { name: "x", typedConfig: { "@type": limit, statPrefix: "y" } }, "");
  assert.ok(filter.ok);
  assert.deepEqual(jsonOf(HttpFilterSchema, filter.value), {
    name: "x",
    typedConfig: { "@type": limit, statPrefix: "y" },
  });
});

const wrong: readonly (readonly [unknown, string, RegExp])[] = [
  ["text", "value", /must be a mapping, not "text"/],
  [{ nane: "a" }, "value.nane", /did you mean "name"\?/],
  [{ healthChecks: [{ timeout: "soon" }] }, "value.healthChecks[0].timeout", /must be a duration .* not "soon"/],
  [{ healthChecks: {} }, "value.healthChecks", /must be a list/],
  [{ lbPolicy: "BEST" }, "value.lbPolicy", /must be one of ROUND_ROBIN, .*not "BEST"/],
  [{ metadata: { filterMetadata: { a: 1 } } }, "value.metadata.filterMetadata.a", /must be google.protobuf.Struct/],
  [{ type: "EDS", cluster_type: { name: "x" } }, "value", /only one of type, cluster_type/],
  [
    { typedExtensionProtocolOptions: { a: { "@type": "x/y" } } },
    "value.typedExtensionProtocolOptions.a.@type",
    /names no/,
  ],
];
for (const [json, field, message] of wrong) {
  test(`parseMessage() says what is wrong with ${JSON.stringify(json)}`, () => {
    const parsed = parseMessage(ClusterSchema, json, "value");
    assert.ok(!parsed.ok);
    assert.equal(parsed.violations[0]?.field, field);
    assert.match(parsed.violations[0]?.message ?? "", message);
  });
}
