import assert from "node:assert/strict";
import { test } from "node:test";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import type { TargetRef } from "@heddle/model/target-ref.ts";
import { Memo } from "../memo.ts";
import type { Destination } from "../plan/plan.ts";
import { meshOf } from "../testkit/mesh-of.ts";
import { resource } from "../testkit/resource.ts";
import { limitPolicy } from "../testkit/test-policies.ts";
import { inboundRules, match, outboundConf } from "./match.ts";
import type { PolicySpec } from "./precedence.ts";

const proxy = resource<DataplaneSpec>("Dataplane", "web-1", {
  networking: { address: "10.0.0.1", inbound: [{ port: 8080 }, { port: 8081 }] },
});
const backend: Destination = {
  key: "kri_msvc_default___backend_http",
  kind: "MeshService",
  mesh: "default",
  name: "backend",
  kri: "kri_msvc_default___backend_",
  labels: { team: "a", "kuma.io/display-name": "backend" },
  section: "http",
  port: 80,
  tags: { "kuma.io/service": "backend_svc_80", version: "v1" },
  protocol: "http",
  tls: undefined,
};
const limit = limitPolicy("MeshLimit");

function policy(name: string, spec: PolicySpec) {
  return resource("MeshLimit", name, spec);
}

function selected(...policies: readonly ReturnType<typeof policy>[]) {
  const mesh = meshOf([resource("Mesh", "default", {}), proxy, ...policies]);
  const [first] = match(mesh, proxy, [limit], new Memo());
  assert.ok(first !== undefined);
  return first;
}

function confFor(to: TargetRef, destination = backend): unknown {
  const item = { targetRef: to, default: { timeout: 1 } };
  return outboundConf(selected(policy("p", { to: [item] })), destination)?.value;
}

const said: readonly TargetRef[] = [
  { kind: "Mesh" },
  { kind: "MeshService", name: "backend" },
  { kind: "MeshService", name: "backend", sectionName: "http" },
  { kind: "MeshService", name: "backend", sectionName: "80" },
  { kind: "MeshService", name: "backend_svc_80" },
  { kind: "MeshService", labels: { team: "a" } },
  { kind: "MeshService", labels: { team: "*" } },
  { kind: "MeshService", labels: { "kuma.io/display-name": "backend" } },
  { kind: "MeshServiceSubset", name: "backend_svc_80", tags: { version: "v1" } },
];
for (const ref of said) {
  test(`outboundConf() takes ${JSON.stringify(ref)} to mean the destination`, () => {
    assert.deepEqual(confFor(ref), { timeout: 1 });
  });
}

const unsaid: readonly TargetRef[] = [
  { kind: "MeshService", name: "back" },
  { kind: "MeshService", name: "backend", sectionName: "8080" },
  { kind: "MeshService", labels: { team: "b" } },
  { kind: "MeshService", labels: { other: "*" } },
  { kind: "MeshServiceSubset", name: "backend_svc_80", tags: { version: "v2" } },
  { kind: "MeshHTTPRoute", name: "backend" },
  { kind: "MeshExternalService", name: "backend" },
];
for (const ref of unsaid) {
  test(`outboundConf() takes ${JSON.stringify(ref)} to mean something else`, () => {
    assert.equal(confFor(ref), undefined);
  });
}

test("outboundConf() merges from the weakest to the strongest and says where everything is from", () => {
  const conf = outboundConf(
    selected(
      policy("weak", { to: [{ targetRef: { kind: "Mesh" }, default: { timeout: 1, connectTimeout: 1 } }] }),
      policy("strong", {
        targetRef: { kind: "Dataplane" },
        to: [
          { targetRef: { kind: "MeshService", name: "other" }, default: { timeout: 9 } },
          { targetRef: { kind: "Mesh" }, default: { timeout: 2 } },
        ],
      }),
    ),
    backend,
  );
  assert.deepEqual(conf?.value, { timeout: 2, connectTimeout: 1 });
  assert.deepEqual(conf?.origins, [
    { type: "MeshLimit", mesh: "default", name: "weak", kri: "kri_meshlimit_default___weak_", rule: 0 },
    { type: "MeshLimit", mesh: "default", name: "strong", kri: "kri_meshlimit_default___strong_", rule: 1 },
  ]);
});

test("outboundConf() adds what is said about a route to what is said about the destination", () => {
  const both = selected(
    policy("route", {
      to: [{ targetRef: { kind: "MeshHTTPRoute", labels: { stage: "beta" } }, default: { timeout: 5 } }],
    }),
    policy("mesh", { to: [{ targetRef: { kind: "Mesh" }, default: { timeout: 1, connectTimeout: 1 } }] }),
    policy("for-one-route", {
      targetRef: { kind: "MeshHTTPRoute", name: "nowhere" },
      to: [{ targetRef: { kind: "Mesh" }, default: { timeout: 9 } }],
    }),
  );
  const about = (stage: string) => outboundConf(both, backend, { name: "r", labels: { stage } })?.value;
  assert.deepEqual(about("beta"), { timeout: 5, connectTimeout: 1 });
  assert.deepEqual(about("final"), { timeout: 1, connectTimeout: 1 });
  assert.deepEqual(outboundConf(both, backend)?.value, { timeout: 1, connectTimeout: 1 });
});

test("inboundRules() gives an inbound the rules of those policies that reach it", () => {
  const one = selected(
    policy("every", { rules: [{ default: { timeout: 1 } }] }),
    policy("one", { targetRef: { kind: "Dataplane", sectionName: "8081" }, rules: [{ default: { timeout: 2 } }] }),
  );
  assert.deepEqual(
    inboundRules(one, "8080").rules.map(({ conf }) => conf),
    [{ timeout: 1 }],
  );
  assert.deepEqual(inboundRules(one, "8081").everyone?.value, { timeout: 2 });
  assert.notEqual(inboundRules(one, "8080").hash, inboundRules(one, "8081").hash);
});

test("inboundRules() keeps rules for some callers out of what is for everyone", () => {
  const matches = [{ spiffeID: { type: "Exact", value: "spiffe://default/web" } }];
  const rules = inboundRules(
    selected(policy("p", { rules: [{ default: { timeout: 1 } }, { matches, default: { timeout: 2 } }] })),
    "8080",
  );
  assert.deepEqual(rules.everyone?.value, { timeout: 1 });
  assert.deepEqual(rules.rules[1]?.client, { by: "matches", matches });
});

test("inboundRules() reads a reference under from as the callers that are meant", () => {
  const subset: TargetRef = { kind: "MeshSubset", tags: { team: "a" } };
  const from = [
    { targetRef: { kind: "Mesh" } as const, default: { timeout: 1 } },
    { targetRef: subset, default: { timeout: 2 } },
  ];
  const rules = inboundRules(selected(policy("p", { from })), "8080");
  assert.deepEqual(
    rules.rules.map(({ client }) => client),
    [undefined, { by: "targetRef", ref: subset }],
  );
});

test("match() gives proxies that the same policies select the same object, until a policy changes", () => {
  const memo = new Memo();
  const mesh = meshOf([resource("Mesh", "default", {}), proxy, policy("p", { to: [] })]);
  const again = match(mesh, { ...proxy, name: "web-2" }, [limit], memo);
  assert.equal(again, match(mesh, proxy, [limit], memo));
  const changed = meshOf([resource("Mesh", "default", {}), proxy, policy("p", { to: [] })]);
  assert.notEqual(again, match(changed, proxy, [limit], memo));
});

test("match() keeps policies of the same name in two meshes apart", () => {
  const memo = new Memo();
  const mesh = (timeout: number) =>
    meshOf([resource("Mesh", "default", {}), proxy, policy("p", { rules: [{ default: { timeout } }] })]);
  const said = [1, 2].map((timeout) => {
    const [first] = match(mesh(timeout), proxy, [limit], memo);
    return first && inboundRules(first, "8080").everyone?.value;
  });
  assert.deepEqual(said, [{ timeout: 1 }, { timeout: 2 }]);
});
