import assert from "node:assert/strict";
import { test } from "node:test";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import { originsOf } from "./origins.ts";
import { Lab } from "./testkit/lab.ts";
import { LABELLED, LABELLED_POLICIES, TAGGED, TAGGED_POLICIES } from "./testkit/meshes.ts";

async function originsIn(lab: Lab, name: string): Promise<(typeUrl: string, resource: string) => readonly string[]> {
  const { compiled } = await lab.connect("default", name);
  assert.ok(compiled);
  return (typeUrl, resource) => originsOf(compiled, typeUrl, resource);
}

test("originsOf() names the policies that have a say in an inbound's resource, then the Dataplane", async () => {
  await using lab = new Lab();
  await lab.write(`${LABELLED}---${LABELLED_POLICIES}`);
  const origins = await originsIn(lab, "backend-1");
  const [timeout, permission] = ["kri_mt_default___coming-in_", "kri_mtp_default___shops_"];
  const proxy = "kri_dp_default___backend-1_";
  assert.deepEqual(origins(TYPE_URL.cluster, "self_inbound_dp_http"), [timeout, proxy]);
  assert.deepEqual(origins(TYPE_URL.route, "self_inbound_dp_http"), [timeout, permission, proxy]);
  assert.ok(origins(TYPE_URL.listener, "self_inbound_dp_http").includes(permission));
});

test("originsOf() names the policies that have a say in an outbound's resource, then the service", async () => {
  await using lab = new Lab();
  await lab.write(`${LABELLED}---${LABELLED_POLICIES}`);
  const origins = await originsIn(lab, "web-1");
  const [route, timeout] = ["kri_mhttpr_default___split_", "kri_mt_default___going-out_"];
  const backend = "kri_msvc_default___backend_main";
  assert.deepEqual(origins(TYPE_URL.route, backend), [route, timeout, "kri_msvc_default___backend_"]);
  assert.deepEqual(origins(TYPE_URL.cluster, backend), [timeout, "kri_msvc_default___backend_"]);
  const next = origins(TYPE_URL.cluster, "kri_msvc_default___backend-next_main");
  assert.deepEqual(next, [timeout, "kri_msvc_default___backend-next_"]);
  assert.deepEqual(origins(TYPE_URL.endpoint, backend), ["kri_msvc_default___backend_"]);
});

test("originsOf() leaves out policies that say nothing about the resource, and services without a KRI", async () => {
  await using lab = new Lab();
  await lab.write(`${TAGGED}---${TAGGED_POLICIES}`);
  const origins = await originsIn(lab, "web-1");
  assert.deepEqual(origins(TYPE_URL.cluster, "backend"), ["kri_mt_default___slow_"]);
  assert.deepEqual(origins(TYPE_URL.cluster, "self_inbound_dp_10001"), ["kri_dp_default___web-1_"]);
  assert.deepEqual(origins(TYPE_URL.cluster, "nothing"), []);
});

test("originsOf() names the policies that say which instances of a service are called first", async () => {
  await using lab = new Lab();
  await lab.write(`${LABELLED}---
type: MeshLoadBalancingStrategy
mesh: default
name: near-first
spec:
  to:
    - targetRef: { kind: MeshService, name: backend }
      default: { localityAwareness: { localZone: { affinityTags: [{ key: node }] } } }
`);
  const origins = await originsIn(lab, "web-1");
  const expected = ["kri_mlbs_default___near-first_", "kri_msvc_default___backend_"];
  assert.deepEqual(origins(TYPE_URL.endpoint, "kri_msvc_default___backend_main"), expected);
});
