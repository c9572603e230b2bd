import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { ClusterSchema } from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import { any } from "./any.ts";
import { duration } from "./duration.ts";
import { mergeMessage } from "./merge-message.ts";
import { jsonOf } from "./to-json.ts";

type Cluster = MessageInitShape<typeof ClusterSchema>;

function merged(target: Cluster, source: Cluster): unknown {
  const message = create(ClusterSchema, target);
  mergeMessage(ClusterSchema, message, create(ClusterSchema, source));
  return jsonOf(ClusterSchema, message);
}

test("mergeMessage() merges messages field by field and joins lists", () => {
  assert.deepEqual(
    merged(
      { name: "a", upstreamConnectionOptions: { tcpKeepalive: { keepaliveTime: 1 } }, healthChecks: [{}] },
      { altStatName: "b", upstreamConnectionOptions: { tcpKeepalive: { keepaliveProbes: 2 } }, healthChecks: [{}] },
    ),
    {
      name: "a",
      altStatName: "b",
      upstreamConnectionOptions: { tcpKeepalive: { keepaliveTime: 1, keepaliveProbes: 2 } },
      healthChecks: [{}, {}],
    },
  );
});

test("mergeMessage() replaces durations and wrappers as a whole, even by zero", () => {
  assert.deepEqual(
    merged(
      { connectTimeout: duration(1_500), perConnectionBufferLimitBytes: 5, waitForWarmOnInit: true },
      { connectTimeout: duration(2_000), perConnectionBufferLimitBytes: 0, waitForWarmOnInit: false },
    ),
    { connectTimeout: "2s", perConnectionBufferLimitBytes: 0, waitForWarmOnInit: false },
  );
});

test("mergeMessage() replaces what is packed, and entries of maps", () => {
  const packed = (name: string) => ({ one: any(ClusterSchema, { name }) });
  const { typedExtensionProtocolOptions } = merged(
    { typedExtensionProtocolOptions: packed("old") },
    { typedExtensionProtocolOptions: packed("new") },
  ) as { readonly typedExtensionProtocolOptions: { readonly one: { readonly name: string } } };
  assert.equal(typedExtensionProtocolOptions.one.name, "new");
});

test("mergeMessage() keeps one circuit breaker threshold for a priority", () => {
  assert.deepEqual(
    merged(
      { circuitBreakers: { thresholds: [{ maxRequests: 1, trackRemaining: true }] } },
      { circuitBreakers: { thresholds: [{ maxRequests: 2 }, { priority: 1, maxRequests: 3 }] } },
    ),
    {
      circuitBreakers: {
        thresholds: [
          { maxRequests: 2, trackRemaining: true },
          { priority: "HIGH", maxRequests: 3 },
        ],
      },
    },
  );
});

test("mergeMessage() shares nothing with what it merges in", () => {
  const source = create(ClusterSchema, { upstreamConnectionOptions: { tcpKeepalive: { keepaliveTime: 1 } } });
  const one = create(ClusterSchema, {});
  mergeMessage(ClusterSchema, one, source);
  mergeMessage(
    ClusterSchema,
    one,
    create(ClusterSchema, { upstreamConnectionOptions: { tcpKeepalive: { keepaliveTime: 2 } } }),
  );
  assert.equal(source.upstreamConnectionOptions?.tcpKeepalive?.keepaliveTime, 1);
});
