import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Cluster_DiscoveryType, ClusterSchema } from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "@heddle/envoy/gen/envoy/config/listener/v3/listener_pb.js";
import { HttpConnectionManagerSchema } from "@heddle/envoy/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { UpstreamTlsContextSchema } from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { encodeBytes } from "@heddle/envoy/encode-resource.ts";
import { followEnvoy } from "./fake-follow.ts";
import type { EncodedResource, ResourceSet } from "./resource.ts";
import { fakeProxy, startServer, TestControlPlane } from "./testkit/control-plane.ts";
import { TYPE_URL } from "./type-url.ts";

function setOf(...resources: readonly EncodedResource[]): ResourceSet {
  const byType = Map.groupBy(resources, ({ typeUrl }) => typeUrl);
  return new Map([...byType].map(([type, all]) => [type, new Map(all.map((each) => [each.name, each]))]));
}

function cluster(name: string, secret: string): EncodedResource {
  const validationContextType = { case: "validationContextSdsSecretConfig", value: { name: "trust" } } as const;
  const tls = { tlsCertificateSdsSecretConfigs: [{ name: secret }], validationContextType };
  const context = anyPack(UpstreamTlsContextSchema, create(UpstreamTlsContextSchema, { commonTlsContext: tls }));
  const message = create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    transportSocket: { name: "tls", configType: { case: "typedConfig", value: context } },
  });
  return encodeBytes(TYPE_URL.cluster, name, toBinary(ClusterSchema, message));
}

function listener(name: string, routeConfigName: string): EncodedResource {
  const manager = create(HttpConnectionManagerSchema, {
    routeSpecifier: { case: "rds", value: { routeConfigName } },
  });
  const value = anyPack(HttpConnectionManagerSchema, manager);
  const message = create(ListenerSchema, {
    filterChains: [{ filters: [{ name: "http", configType: { case: "typedConfig", value } }] }],
  });
  return encodeBytes(TYPE_URL.listener, name, toBinary(ListenerSchema, message));
}

function other(typeUrl: string, name: string): EncodedResource {
  return encodeBytes(typeUrl, name, Buffer.from(name));
}

const all = [
  other(TYPE_URL.endpoint, "a"),
  other(TYPE_URL.endpoint, "b"),
  other(TYPE_URL.secret, "own"),
  other(TYPE_URL.secret, "trust"),
  other(TYPE_URL.route, "r1"),
  other(TYPE_URL.route, "r2"),
];

test("FakeProxy asks for what its clusters and listeners refer to, as Envoy does", async () => {
  const controlPlane = new TestControlPlane(setOf(cluster("a", "own"), listener("in", "r1"), ...all));
  await using server = await startServer(controlPlane);
  await using proxy = fakeProxy(server, { follow: followEnvoy });
  await proxy.connect();
  await controlPlane.waitFor("it is synced", () => controlPlane.events("synced").length > 0);
  assert.deepEqual(Object.keys(proxy.versions(TYPE_URL.endpoint)), ["a"]);
  assert.deepEqual(Object.keys(proxy.versions(TYPE_URL.secret)).sort(), ["own", "trust"]);
  assert.deepEqual(Object.keys(proxy.versions(TYPE_URL.route)), ["r1"]);
  const next = setOf(cluster("b", "own"), listener("in", "r2"), ...all);
  controlPlane.publish(next);
  await controlPlane.waitFor("it moved on", () => controlPlane.events("synced").some(({ set }) => set === next));
  assert.deepEqual(Object.keys(proxy.versions(TYPE_URL.endpoint)), ["b"]);
  assert.deepEqual(Object.keys(proxy.versions(TYPE_URL.route)), ["r2"]);
});

test("FakeProxy refuses what it does not like and keeps what it had", async () => {
  const controlPlane = new TestControlPlane(setOf(other(TYPE_URL.listener, "good")));
  await using server = await startServer(controlPlane);
  const reject = ({ name }: { name: string }) =>
    name === "bad" ? "Error adding/updating listener(s) bad: no such filter" : undefined;
  await using proxy = fakeProxy(server, { reject });
  await proxy.connect();
  await controlPlane.waitFor("good is held", () =>
    controlPlane.events("acked").some(({ typeUrl }) => typeUrl === TYPE_URL.listener),
  );
  controlPlane.publish(setOf(other(TYPE_URL.listener, "good"), other(TYPE_URL.listener, "bad")));
  await controlPlane.waitFor("the refusal is reported", () => controlPlane.events("nacked").length > 0);
  const [nack] = controlPlane.events("nacked");
  assert.deepEqual(
    nack?.rejected.map(({ name }) => name),
    ["bad"],
  );
  assert.match(nack?.detail ?? "", /no such filter/);
  assert.deepEqual(Object.keys(proxy.versions(TYPE_URL.listener)), ["good"]);
});

test("FakeProxy comes back with the versions it knows", async () => {
  const controlPlane = new TestControlPlane(setOf(cluster("a", "own"), listener("in", "r1"), ...all));
  await using server = await startServer(controlPlane);
  await using proxy = fakeProxy(server, { follow: followEnvoy });
  await proxy.connect();
  await controlPlane.waitFor("it is synced", () => controlPlane.events("synced").length > 0);
  const before = proxy.counts.resources;
  proxy.disconnect();
  await proxy.connect();
  await controlPlane.waitFor("it is synced again", () => controlPlane.streams[1]?.events.at(-1)?.event === "synced");
  assert.equal(proxy.counts.resources, before);
});
