import assert from "node:assert/strict";
import { test } from "node:test";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { namesHosts, systemLookup, withAddresses } from "./resolve-address.ts";

function dataplane(networking: DataplaneSpec["networking"]): Resource<DataplaneSpec> {
  const key = { type: "Dataplane", mesh: "default", name: "web-1", labels: {} };
  return { ...key, spec: { networking }, creationTime: "", modificationTime: "", version: 1 };
}

test("withAddresses() puts addresses in the place of names, and leaves what is stored alone", async () => {
  const stored = dataplane({ address: "web.internal", advertisedAddress: "web.example.com" });
  const known: Readonly<Record<string, string>> = { "web.internal": "10.0.0.1", "web.example.com": "192.0.2.1" };
  const resolved = await withAddresses(stored, async (host) => known[host] ?? "");
  assert.deepEqual(resolved.spec.networking, { address: "10.0.0.1", advertisedAddress: "192.0.2.1" });
  assert.equal(stored.spec.networking.address, "web.internal");
});

test("namesHosts() is false for IP addresses of both families", () => {
  assert.equal(namesHosts(dataplane({ address: "10.0.0.1" })), false);
  assert.equal(namesHosts(dataplane({ address: "2001:db8::1" })), false);
  assert.equal(namesHosts(dataplane({ address: "localhost" })), true);
});

test("systemLookup() knows this machine, and throws for a name that cannot exist", async () => {
  assert.equal(await systemLookup("localhost"), "127.0.0.1");
  await assert.rejects(systemLookup("no-such-host.invalid"));
});
