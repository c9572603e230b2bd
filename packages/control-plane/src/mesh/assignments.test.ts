import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndpointOrder } from "@heddle/engine/plan/balancing.ts";
import { orderFor } from "@heddle/engine/plan/locality.ts";
import type { Endpoint } from "@heddle/engine/snapshot/service-view.ts";
import { resource } from "@heddle/engine/testkit/resource.ts";
import { Assignments } from "./assignments.ts";

const BY_NODE: EndpointOrder = { by: "zone", affinities: [{ key: "node", weight: 9 }], others: "anybody" };
const endpoint = (address: string, node: string): Endpoint => ({ address, port: 80, zone: "z", tags: { node } });
const both = [endpoint("10.0.0.1", "n1"), endpoint("10.0.0.2", "n2")];

function callerOn(node: string, order: EndpointOrder = BY_NODE) {
  const labels = node === "" ? {} : { node };
  const proxy = resource("Dataplane", `on-${node}`, { networking: { address: "10.1.0.1" } }, { labels });
  return orderFor(order, { resource: proxy, mesh: resource("Mesh", "default", {}), zone: "z" });
}

test("callers with the same place share the bytes, and so do all to whom no instance is near", () => {
  const assignments = new Assignments();
  const [first, same, other] = ["n1", "n1", "n2"].map((node) => assignments.get("s", both, callerOn(node)));
  assert.equal(same, first);
  assert.notEqual(other?.version, first?.version);
  const far = ["n3", "n4", ""].map((node) => assignments.get("s", both, callerOn(node)));
  assert.equal(new Set(far).size, 1);
});

test("what differs in policies or instances is encoded for itself, what is only made anew is not", () => {
  const assignments = new Assignments();
  const first = assignments.get("s", both, callerOn("n1"));
  assert.equal(assignments.get("s", structuredClone(both), callerOn("n1")), first);
  const shares: EndpointOrder = { ...BY_NODE, affinities: [{ key: "node", weight: 1 }] };
  assert.notEqual(assignments.get("s", both, callerOn("n1", shares)).version, first.version);
  assert.notEqual(assignments.get("s", both.slice(0, 1), callerOn("n1")).version, first.version);
  assert.equal(assignments.get("other", both, callerOn("n1")).name, "other");
});
