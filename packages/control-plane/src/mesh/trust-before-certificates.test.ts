import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import type { ResourceSet } from "@heddle/xds/resource.ts";
import { LiveMeshes } from "./testkit/live-meshes.ts";

const mesh = (enabledBackend: string, ...names: string[]): object => ({
  type: "Mesh",
  name: "default",
  mtls: { enabledBackend, backends: names.map((name) => ({ name, type: "builtin" })) },
});

const dataplane = (name: string): object => ({
  type: "Dataplane",
  mesh: "default",
  name,
  labels: { "kuma.io/workload": name },
  networking: { address: "127.0.0.1", inbound: [{ port: 10_000, servicePort: 10_001, name: "main" }] },
});

test("a certificate of another authority is given out only when every proxy has acknowledged to trust that authority", async () => {
  await using live = await LiveMeshes.create([mesh("a", "a"), dataplane("quick"), dataplane("slow")]);
  await live.settled();
  live.connect("quick");
  const slow = live.meshes.get("default")?.connect("slow");
  assert.ok(slow);
  let last: ResourceSet = new Map();
  slow.attach((set) => (last = set));
  await live.settled();
  slow.synced(last);
  await turn();
  const issuers = (): readonly (string | undefined)[] =>
    [...(live.meshes.get("default")?.proxies.values() ?? [])].map(({ held }) => held?.issuer);
  assert.deepEqual(issuers(), ["a", "a"]);
  const before = last.get(TYPE_URL.secret);

  await live.put(mesh("b", "a", "b"));
  await live.settled();
  assert.notEqual(last.get(TYPE_URL.secret), before, "what is trusted goes out at once");
  assert.deepEqual(issuers(), ["a", "a"], "one proxy has not acknowledged yet");

  slow.synced(last);
  await live.settled();
  assert.deepEqual(issuers(), ["b", "b"]);
});
