import assert from "node:assert/strict";
import { test } from "node:test";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import type { Labels } from "@heddle/model/labels.ts";
import type { TargetRef } from "@heddle/model/target-ref.ts";
import { emptySnapshot } from "../snapshot/snapshot.ts";
import { resource } from "../testkit/resource.ts";
import type { PolicySpec } from "./precedence.ts";
import { reachOf } from "./select.ts";

const mesh = emptySnapshot(resource("Mesh", "default", {}), "zone-1");
const sidecar = resource<DataplaneSpec>(
  "Dataplane",
  "web-1",
  {
    networking: {
      address: "10.0.0.1",
      inbound: [
        { port: 8080, name: "http", tags: { "kuma.io/service": "web", version: "v1" } },
        { port: 8081, tags: { "kuma.io/service": "web-admin", version: "v1" } },
      ],
    },
  },
  { labels: { app: "web", "k8s.kuma.io/namespace": "shop" } },
);
const labelled = resource<DataplaneSpec>(
  "Dataplane",
  "job-1",
  { networking: { address: "10.0.0.2" } },
  { labels: { app: "job", "kuma.io/zone": "zone-2" } },
);
const gateway = resource<DataplaneSpec>("Dataplane", "edge-1", {
  networking: { address: "10.0.0.3", gateway: { tags: { "kuma.io/service": "edge" } } },
});

/** The names of the inbounds that are reached, "all", or nothing. */
function reach(targetRef: TargetRef | undefined, proxy = sidecar, labels: Labels = {}): string | readonly string[] {
  const policy = resource<PolicySpec>("MeshTimeout", "p", { targetRef }, { labels });
  const found = reachOf(policy, mesh, proxy);
  return found === undefined ? "nothing" : found === "all" ? "all" : [...found];
}

const cases: readonly [string, string | readonly string[], string | readonly string[]][] = [
  ["without a target everybody", reach(undefined), "all"],
  ["Mesh everybody", reach({ kind: "Mesh" }), "all"],
  ["Mesh of gateways no sidecar", reach({ kind: "Mesh", proxyTypes: ["Gateway"] }), "nothing"],
  ["Mesh of gateways a gateway", reach({ kind: "Mesh", proxyTypes: ["Gateway"] }, gateway), "all"],
  ["Dataplane everybody", reach({ kind: "Dataplane" }, labelled), "all"],
  ["Dataplane by name", reach({ kind: "Dataplane", name: "web-1" }), "all"],
  ["Dataplane not by another name", reach({ kind: "Dataplane", name: "web-2" }), "nothing"],
  ["Dataplane by labels", reach({ kind: "Dataplane", labels: { app: "web" } }), "all"],
  [
    "Dataplane by its name as a label",
    reach({ kind: "Dataplane", labels: { "kuma.io/display-name": "web-1" } }),
    "all",
  ],
  ["Dataplane by any value of a label", reach({ kind: "Dataplane", labels: { app: "*" } }), "all"],
  ["Dataplane not by a label it lacks", reach({ kind: "Dataplane", labels: { team: "*" } }), "nothing"],
  ["one inbound by name", reach({ kind: "Dataplane", sectionName: "http" }), ["http"]],
  ["one inbound by port", reach({ kind: "Dataplane", sectionName: "8081" }), ["8081"]],
  ["a named inbound by its port as well", reach({ kind: "Dataplane", sectionName: "8080" }), ["http"]],
  ["no inbound that is not there", reach({ kind: "Dataplane", sectionName: "grpc" }), "nothing"],
  ["MeshSubset the inbounds with the tags", reach({ kind: "MeshSubset", tags: { version: "v1" } }), ["http", "8081"]],
  ["MeshSubset none without", reach({ kind: "MeshSubset", tags: { version: "v2" } }), "nothing"],
  [
    "MeshSubset a proxy without inbounds by labels",
    reach({ kind: "MeshSubset", tags: { app: "job" } }, labelled),
    "all",
  ],
  ["MeshService the inbounds of that service", reach({ kind: "MeshService", name: "web-admin" }), ["8081"]],
  ["MeshService a gateway by its tags", reach({ kind: "MeshService", name: "edge" }, gateway), "all"],
  [
    "MeshServiceSubset both service and tags",
    reach({ kind: "MeshServiceSubset", name: "web", tags: { version: "v1" } }),
    ["http"],
  ],
  ["MeshGateway no proxy of this kind", reach({ kind: "MeshGateway", name: "edge" }, gateway), "nothing"],
];
for (const [what, found, expected] of cases) {
  test(`reachOf() finds ${what}`, () => assert.deepEqual(found, expected));
}

test("reachOf() keeps a zone's policy in its zone, unless a producer wrote it for its clients everywhere", () => {
  const local = { "kuma.io/origin": "zone", "kuma.io/zone": "zone-2" };
  assert.equal(reach(undefined, sidecar, local), "nothing");
  assert.equal(reach(undefined, labelled, local), "all");
  assert.equal(reach(undefined, sidecar, { ...local, "kuma.io/policy-role": "producer" }), "all");
});

test("reachOf() keeps the policy of a consumer or workload owner in its namespace", () => {
  for (const role of ["consumer", "workload-owner"]) {
    const inShop = { "kuma.io/policy-role": role, "k8s.kuma.io/namespace": "shop" };
    assert.equal(reach(undefined, sidecar, inShop), "all");
    assert.equal(reach(undefined, labelled, inShop), "nothing");
  }
});

test("reachOf() never finds a shadow policy", () => {
  assert.equal(reach(undefined, sidecar, { "kuma.io/effect": "shadow" }), "nothing");
});

test("reachOf() follows a policy for a route to whom that route selects", () => {
  const route = (name: string, targetRef: TargetRef) => resource<PolicySpec>("MeshHTTPRoute", name, { targetRef });
  const routes = [
    route("web", { kind: "Dataplane", name: "web-1" }),
    route("job", { kind: "Dataplane", name: "job-1" }),
  ];
  const withRoutes = { ...mesh, policies: new Map([["MeshHTTPRoute", routes]]) };
  const policy = resource<PolicySpec>("MeshTimeout", "p", { targetRef: { kind: "MeshHTTPRoute", name: "web" } });
  assert.equal(reachOf(policy, withRoutes, sidecar), "all");
  assert.equal(reachOf(policy, withRoutes, labelled), undefined);
});
