import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { ClusterSchema } from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import { MetadataSchema } from "@heddle/envoy/gen/envoy/config/core/v3/base_pb.js";
import { ClusterLoadAssignmentSchema } from "@heddle/envoy/gen/envoy/config/endpoint/v3/endpoint_pb.js";
import { RouteConfigurationSchema } from "@heddle/envoy/gen/envoy/config/route/v3/route_pb.js";
import fc from "fast-check";
import { any } from "./any.ts";
import { encode } from "./encode.ts";

/** The same object with its keys put in the other way round, at every depth. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, reversed(inner)])
      .reverse(),
  );
}

test("encode() gives the same bytes for maps that were filled in another order", () => {
  const json = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 1 }), json), (filterMetadata) => {
      const one = create(MetadataSchema, { filterMetadata: filterMetadata as never });
      const other = create(MetadataSchema, { filterMetadata: reversed(filterMetadata) as never });
      assert.deepEqual(encode(MetadataSchema, one), encode(MetadataSchema, other));
    }),
  );
});

test("encode() keeps the content", () => {
  const json = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 1 }), json), (filterMetadata) => {
      const message = create(MetadataSchema, { filterMetadata: filterMetadata as never });
      const plain = fromBinary(MetadataSchema, toBinary(MetadataSchema, message));
      assert.deepEqual(fromBinary(MetadataSchema, encode(MetadataSchema, message)), plain);
    }),
  );
});

test("encode() orders maps deep inside: in lists, oneofs and packed per-filter settings", () => {
  const routes = (names: readonly string[]) => {
    const typedPerFilterConfig = Object.fromEntries(names.map((name) => [name, any(MetadataSchema, {})]));
    const weighted = { name: "backend", typedPerFilterConfig };
    return create(RouteConfigurationSchema, {
      virtualHosts: [
        {
          name: "host",
          domains: ["*"],
          typedPerFilterConfig,
          routes: [
            {
              typedPerFilterConfig,
              action: {
                case: "route",
                value: { clusterSpecifier: { case: "weightedClusters", value: { clusters: [weighted] } } },
              },
            },
          ],
        },
      ],
    });
  };
  assert.deepEqual(
    encode(RouteConfigurationSchema, routes(["rbac", "fault", "limit"])),
    encode(RouteConfigurationSchema, routes(["limit", "rbac", "fault"])),
  );
});

test("encode() leaves a message without maps to protobuf", () => {
  const cluster = create(ClusterSchema, { name: "backend", connectTimeout: { seconds: 5n } });
  assert.deepEqual(encode(ClusterSchema, cluster), toBinary(ClusterSchema, cluster));
});

test("encode() orders endpoint metadata", () => {
  const assignment = (filterMetadata: Record<string, Record<string, string>>) =>
    create(ClusterLoadAssignmentSchema, {
      endpoints: [{ lbEndpoints: [{ metadata: { filterMetadata } }] }],
    });
  assert.deepEqual(
    encode(ClusterLoadAssignmentSchema, assignment({ "envoy.lb": { zone: "a", app: "b" }, other: {} })),
    encode(ClusterLoadAssignmentSchema, assignment({ other: {}, "envoy.lb": { app: "b", zone: "a" } })),
  );
});
