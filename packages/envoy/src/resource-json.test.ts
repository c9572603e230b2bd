import assert from "node:assert/strict";
import { test } from "node:test";
import { ClusterSchema } from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import { encodeResource } from "./encode-resource.ts";
import { resourceJson } from "./resource-json.ts";

test("resourceJson() gives the fields of the resource, without the envelope it travels in", () => {
  const cluster = encodeResource(ClusterSchema, "backend", { name: "backend", ignoreHealthOnHostRemoval: true });
  assert.deepEqual(resourceJson(cluster), { name: "backend", ignoreHealthOnHostRemoval: true });
});

test("resourceJson() refuses an envelope with nothing in it", () => {
  assert.throws(() => resourceJson({ bytes: new Uint8Array() }), /Cannot show an Envoy resource: it is empty/);
});
