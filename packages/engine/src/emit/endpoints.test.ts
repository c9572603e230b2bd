import assert from "node:assert/strict";
import { test } from "node:test";
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { encodeResource } from "@heddle/envoy/encode-resource.ts";
import { ClusterLoadAssignmentSchema } from "@heddle/envoy/gen/envoy/config/endpoint/v3/endpoint_pb.js";
import fc from "fast-check";
import { ALL_ALIKE, orderFor } from "../plan/locality.ts";
import type { Endpoint } from "../snapshot/service-view.ts";
import { decoded } from "../testkit/decode.ts";
import { resource } from "../testkit/resource.ts";
import { loadAssignment } from "./endpoints.ts";

const endpoint = (address: string, zone: string, tags: Endpoint["tags"] = {}): Endpoint => ({
  address,
  port: 80,
  zone,
  tags,
});

test("loadAssignment() groups the instances by zone and carries their tags", () => {
  const all = [
    endpoint("10.0.0.2", "west"),
    endpoint("10.0.0.1", "east", { version: "v1" }),
    endpoint("10.0.0.3", "west"),
  ];
  const json = decoded(loadAssignment("backend", all, ALL_ALIKE)) as unknown as {
    readonly endpoints: readonly { readonly locality: unknown; readonly lbEndpoints: readonly unknown[] }[];
  };
  assert.deepEqual(
    json.endpoints.map(({ locality, lbEndpoints }) => [locality, lbEndpoints.length]),
    [
      [{ zone: "east" }, 1],
      [{ zone: "west" }, 2],
    ],
  );
  assert.match(JSON.stringify(json.endpoints[0]), /"version":"v1"/);
});

test("loadAssignment() writes what the messages themselves would be encoded to", () => {
  const order = fc.record({
    affinities: fc.constantFrom([], [{ key: "version", weight: 4_294_967_294 }]),
    others: fc.constantFrom<"anybody" | []>("anybody", []),
    overprovisioning: fc.constantFrom(undefined, 1, 200, 1_000_000),
  });
  const instance = fc.record({
    zone: fc.constantFrom("", "east", "west"),
    tags: fc.constantFrom({}, { version: "ü1" }),
  });
  const caller = { networking: { address: "10.1.0.1", inbound: [{ port: 1, tags: { version: "ü1" } }] } };
  const proxy = { resource: resource("Dataplane", "p", caller), mesh: resource("Mesh", "m", {}) };
  fc.assert(
    fc.property(
      fc.array(instance),
      order,
      fc.constantFrom("", "west"),
      fc.string({ minLength: 1 }),
      (all, how, zone, key) => {
        const endpoints = all.map((each, at) => endpoint(`10.0.0.${at}`, each.zone, each.tags));
        const made = loadAssignment(key, endpoints, orderFor({ by: "zone", ...how }, { ...proxy, zone }));
        const json = decoded(made) as Record<string, JsonValue>;
        const { "@type": _type, ...fields } = json;
        const message = fromJson(ClusterLoadAssignmentSchema, fields);
        assert.deepEqual(made, encodeResource(ClusterLoadAssignmentSchema, key, message));
      },
    ),
  );
});

test("loadAssignment() gives the same bytes whatever the order of tags", () => {
  const [a, b] = [
    { x: "1", y: "2" },
    { y: "2", x: "1" },
  ].map((tags) => loadAssignment("s", [endpoint("10.0.0.1", "z", tags)], ALL_ALIKE));
  assert.equal(a?.version, b?.version);
});

test("loadAssignment() of nobody is empty, because Envoy waits for an answer that never comes", () => {
  assert.deepEqual(decoded(loadAssignment("backend", [], ALL_ALIKE)), {
    "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
    clusterName: "backend",
  });
});
