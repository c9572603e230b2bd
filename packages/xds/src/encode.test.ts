import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { ClusterSchema } from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import {
  DeltaDiscoveryResponseSchema,
  ResourceSchema,
} from "@heddle/envoy/gen/envoy/service/discovery/v3/discovery_pb.js";
import { decodeRequest } from "./decode.ts";
import { encodeBytes } from "@heddle/envoy/encode-resource.ts";
import { encodeResponse } from "./encode.ts";
import { decodeResponse, encodeNode, encodeRequest } from "./fake-wire.ts";
import { FrameReader } from "./grpc-frame.ts";
import { TYPE_URL } from "./type-url.ts";

const cluster = toBinary(ClusterSchema, create(ClusterSchema, { name: "a" }));

test("encodeBytes() wraps a message as Envoy reads it, with the hash of its content as version", () => {
  const encoded = encodeBytes(TYPE_URL.cluster, "a", cluster);
  const resource = fromBinary(ResourceSchema, encoded.bytes);
  assert.equal(resource.name, "a");
  assert.equal(resource.version, createHash("sha256").update(cluster).digest("hex").slice(0, 16));
  assert.equal(resource.version, encoded.version);
  assert.equal(resource.resource?.typeUrl, TYPE_URL.cluster);
  assert.deepEqual(resource.resource?.value, cluster);
});

test("encodeResponse() writes what the generated messages read", () => {
  const sizes = [0, 1, 100, 127, 128, 5_000, 20_000, 3_000_000];
  const resources = sizes.map((size, index) => encodeBytes(TYPE_URL.cluster, `c${index}`, Buffer.alloc(size, index)));
  const bytes = Buffer.concat(
    encodeResponse({ typeUrl: TYPE_URL.cluster, nonce: "7", resources, removed: ["x", "ÿ"] }),
  );
  const [message, ...more] = new FrameReader(10_000_000).read(bytes);
  assert.ok(message && more.length === 0);
  const decoded = fromBinary(DeltaDiscoveryResponseSchema, message);
  assert.equal(decoded.typeUrl, TYPE_URL.cluster);
  assert.equal(decoded.nonce, "7");
  assert.deepEqual(decoded.removedResources, ["x", "ÿ"]);
  assert.deepEqual(
    decoded.resources.map(({ resource }) => resource?.value.length),
    sizes,
  );
  assert.deepEqual(
    decodeResponse(message).resources.map(({ version }) => version),
    decoded.resources.map(({ version }) => version),
  );
});

test("encodeResponse() does not copy big resources", () => {
  const big = encodeBytes(TYPE_URL.cluster, "big", Buffer.alloc(100_000));
  const pieces = encodeResponse({ typeUrl: TYPE_URL.cluster, nonce: "1", resources: [big], removed: [] });
  assert.ok(pieces.includes(big.bytes));
  assert.equal(pieces.length, 2);
});

test("decodeRequest() reads what a client writes", () => {
  const written = {
    typeUrl: TYPE_URL.endpoint,
    subscribe: ["a", "b"],
    unsubscribe: ["c"],
    initialVersions: { a: "1" },
    nonce: "9",
    error: "no",
  };
  const bytes = encodeRequest(written, encodeNode("default.web", "web", { dataplane: { admin: { port: 9901 } } }));
  const { request, node } = decodeRequest(bytes.subarray(5));
  assert.deepEqual({ ...request, initialVersions: { ...request.initialVersions } }, written);
  assert.equal(node?.id, "default.web");
  assert.deepEqual(node?.metadata, { dataplane: { admin: { port: 9901 } } });
});

test("decodeRequest() keeps apart an ACK and a NACK without words", () => {
  assert.equal(decodeRequest(encodeRequest({ typeUrl: "t", nonce: "1" }).subarray(5)).request.error, undefined);
  assert.equal(decodeRequest(encodeRequest({ typeUrl: "t", nonce: "1", error: "" }).subarray(5)).request.error, "");
});
