import assert from "node:assert/strict";
import { test } from "node:test";
import { startApi } from "./testkit/running-api.ts";

const all = [{ match: { "kuma.io/service": "*" } }];
const backend = [{ match: { "kuma.io/service": "backend" } }];
const timeout = { sources: all, destinations: backend, conf: { connectTimeout: "3s" } };
const path = "/meshes/default/timeouts/slow";

test("a Timeout of Kuma 2.x is kept as it was written, and the answer says what it became", async () => {
  await using api = await startApi();
  const reply = await api.call("PUT", path, { body: { type: "Timeout", name: "slow", mesh: "default", ...timeout } });
  assert.equal(reply.status, 201, reply.text);
  assert.deepEqual(reply.json()["warnings"], [
    'Timeout is a kind of Kuma 2.x: "slow" is in force as MeshTimeout "slow"; heddle translate shows it',
  ]);
  const { sources, destinations, conf } = (await api.call("GET", path)).json();
  assert.deepEqual({ sources, destinations, conf }, timeout);
  assert.equal((await api.call("GET", "/meshes/default/timeouts")).json()["total"], 1);
  assert.equal((await api.call("DELETE", path)).status, 200);
  assert.equal((await api.call("GET", path)).status, 404);
});

test("_translation is YAML that can be applied", async () => {
  await using api = await startApi();
  await api.call("PUT", path, { body: timeout });
  const reply = await api.call("GET", `${path}/_translation`);
  assert.match(
    reply.text,
    /^# Timeout "slow" of Kuma 2.x in today's kinds\ntype: MeshTimeout\nmesh: default\nname: slow\n/,
  );
  assert.match(reply.text, /connectionTimeout: 3s/);
  assert.equal((await api.call("GET", "/meshes/default/timeouts/none/_translation")).status, 404);
});

test("who writes a policy is told of the other generation's that win or give way", async () => {
  await using api = await startApi();
  const today = { spec: { to: [] } };
  await api.call("PUT", "/meshes/default/meshtimeouts/new", { body: today });
  const old = (await api.call("PUT", path, { body: timeout })).json()["warnings"] as string[];
  assert.equal(old.at(-1), 'MeshTimeout "new" of today wins over it wherever it applies');
  const now = (await api.call("PUT", "/meshes/default/meshtimeouts/newer", { body: today })).json();
  assert.deepEqual(now["warnings"], ['Timeout "slow" of Kuma 2.x gives way to it wherever it applies']);
});

test("what a kind says that is not served is told to be without effect", async () => {
  await using api = await startApi();
  const body = { sources: all, destinations: backend };
  const reply = await api.call("PUT", "/meshes/default/traffic-permissions/all", { body });
  const warnings = reply.json()["warnings"] as string[];
  assert.equal(warnings.at(-1), "MeshTrafficPermission has no effect until this control plane serves that kind");
});

test("a Mesh's backends decide where a TrafficLog writes to, and a missing one is told", async () => {
  await using api = await startApi();
  const body = { sources: all, destinations: all, conf: { backend: "file" } };
  const lost = (await api.call("PUT", "/meshes/default/traffic-logs/all", { body })).json()["warnings"] as string[];
  assert.match(lost[1] ?? "", /^conf.backend: nothing is logged: the Mesh has no logging backend "file"/);
  const logging = { backends: [{ name: "file", type: "file", conf: { path: "/tmp/a.log" } }] };
  await api.call("PUT", "/meshes/default", { body: { logging } });
  const reply = await api.call("GET", "/meshes/default/traffic-logs/all/_translation");
  assert.match(reply.text, /type: MeshAccessLog[^]*path: \/tmp\/a.log/);
});

test("an ExternalService is in force, and told what it is today", async () => {
  await using api = await startApi();
  const body = { networking: { address: "httpbin.org:80" }, tags: { "kuma.io/service": "httpbin" } };
  const reply = await api.call("PUT", "/meshes/default/external-services/httpbin", { body });
  assert.equal(reply.status, 201, reply.text);
  const [first] = reply.json()["warnings"] as string[];
  assert.match(first ?? "", /"httpbin" is in force as MeshExternalService "httpbin"/);
  assert.equal((await api.call("GET", "/meshes/default/external-services/httpbin/_resources/dataplanes")).status, 404);
});

test("who permits by tags is told of proxies whose callers have none", async () => {
  await using api = await startApi();
  const spec = {
    selector: { dataplane: { matchLabels: {} } },
    spiffeID: {},
    provider: { type: "Bundled", bundled: { autogenerate: { enabled: true }, insecureAllowSelfSigned: true } },
  };
  const written = await api.call("PUT", "/meshes/default/meshidentities/spire", { body: { spec } });
  assert.equal(written.status, 201, written.text);
  const body = { sources: all, destinations: backend };
  const reply = await api.call("PUT", "/meshes/default/traffic-permissions/all", { body });
  const warnings = reply.json()["warnings"] as string[];
  assert.match(
    warnings.at(-1) ?? "",
    /^sources: proxies that have their identity from MeshIdentity "spire" do not know/,
  );
});
