import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_ALIKE } from "../plan/locality.ts";
import type { Endpoint } from "../snapshot/service-view.ts";
import { decoded } from "../testkit/decode.ts";
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
