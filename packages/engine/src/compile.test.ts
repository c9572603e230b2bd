import assert from "node:assert/strict";
import { test } from "node:test";
import { compileYaml } from "./testkit/compile-yaml.ts";
import { decoded } from "./testkit/decode.ts";
import { limitPolicy } from "./testkit/test-policies.ts";
import type { Compiled } from "./compile.ts";

const policies = [limitPolicy("MeshLimit"), limitPolicy("MeshOther")];
const proxy = `
---
type: Dataplane
name: web-1
networking:
  address: 10.0.0.1
  inbound:
    - { port: 8080, servicePort: 18080, name: api, protocol: http }
    - { port: 8081, servicePort: 18081, name: raw, protocol: tcp }
    - { port: 8082, servicePort: 18082, name: off, protocol: http, state: Ignored }
  outbound:
    - { port: 10001, backendRef: { kind: MeshService, name: backend, port: 80 } }
    - { port: 10001, address: 127.0.0.9, backendRef: { kind: MeshService, name: backend, port: 80 } }
    - { port: 10002, tags: { kuma.io/service: nobody } }
---
type: MeshService
name: backend
spec: { ports: [{ port: 80, appProtocol: http }] }
`;
const plain = `{ type: Mesh, name: default }${proxy}`;
const mtls = (mode: string) =>
  `{ type: Mesh, name: default, mtls: { enabledBackend: ca, backends: [{ name: ca, type: builtin, mode: ${mode} }] } }${proxy}`;

function names({ resources }: Compiled, type: string): readonly string[] {
  const [, found] = [...resources].find(([url]) => url.endsWith(`.${type}`)) ?? [];
  return [...(found?.keys() ?? [])].toSorted();
}

function listener({ resources }: Compiled, name: string): string {
  const found = [...resources].find(([url]) => url.endsWith(".Listener"))?.[1].get(name);
  assert.ok(found !== undefined, `there is no listener ${name}`);
  return JSON.stringify(decoded(found));
}

test("compile() gives every port and every destination its resources, under Kuma's names", () => {
  const compiled = compileYaml(plain, policies);
  assert.deepEqual(names(compiled, "Listener"), [
    "kri_msvc_default___backend_80:10001",
    "kri_msvc_default___backend_80:127.0.0.9:10001",
    "self_inbound_dp_api",
    "self_inbound_dp_raw",
  ]);
  assert.deepEqual(names(compiled, "Cluster"), [
    "kri_msvc_default___backend_80",
    "self_inbound_dp_api",
    "self_inbound_dp_raw",
  ]);
  assert.deepEqual(names(compiled, "RouteConfiguration"), ["kri_msvc_default___backend_80", "self_inbound_dp_api"]);
  assert.deepEqual([...compiled.destinations.keys()], ["kri_msvc_default___backend_80"]);
});

test("compile() leaves an outbound out whose destination does not exist, says so, and knows what it waits for", () => {
  const compiled = compileYaml(plain, policies);
  assert.deepEqual(compiled.unresolved, ['Service {"kuma.io/service":"nobody"}']);
  assert.ok(compiled.dependsOn.has("Service/nobody"));
});

test("compile() serves plain text without mutual TLS, mutual TLS alone when it is strict, and all three when permissive", () => {
  const chains = (yaml: string) =>
    [...listener(compileYaml(yaml, policies), "self_inbound_dp_api").matchAll(/"name":"(plain|tls|mtls)"/g)].map(
      ([, name]) => name,
    );
  assert.deepEqual(chains(plain), ["plain"]);
  assert.deepEqual(chains(mtls("STRICT")), ["mtls"]);
  assert.deepEqual(chains(mtls("PERMISSIVE")).toSorted(), ["mtls", "plain", "tls"]);
});

test("compile() never trusts what a caller says about itself", () => {
  for (const yaml of [plain, mtls("STRICT"), mtls("PERMISSIVE")]) {
    const text = listener(compileYaml(yaml, policies), "self_inbound_dp_api");
    assert.equal(text.match(/HttpConnectionManager/g)?.length, text.match(/SANITIZE_SET/g)?.length);
  }
});

const limits = (kind: string, timeout: number) => `
---
type: ${kind}
name: limit
spec: { to: [{ targetRef: { kind: Mesh }, default: { timeout: ${timeout} } }] }
---
type: ${kind}
name: limit-in
spec: { rules: [{ default: { timeout: ${timeout} } }] }`;

test("compile() reports two kinds of policy that want one thing differently, for each unit, with both origins", () => {
  const compiled = compileYaml(plain + limits("MeshLimit", 1) + limits("MeshOther", 2), policies);
  const [outbound] = compiled.outbounds;
  const [inbound] = compiled.inbounds;
  for (const [unit, name] of [
    [outbound, "limit"],
    [inbound, "limit-in"],
  ] as const) {
    const [conflict, ...others] = unit?.conflicts ?? [];
    assert.deepEqual(others, []);
    assert.equal(conflict?.slot, "route.timeout");
    assert.deepEqual(
      [conflict.kept, conflict.dropped].map(({ kind, origins }) => [kind, origins.map((origin) => origin.name)]),
      [
        ["MeshOther", [name]],
        ["MeshLimit", [name]],
      ],
    );
    assert.equal(unit?.plan.settings.route.timeout, 2);
  }
});

test("compile() says which conf of which policy applies where", () => {
  const compiled = compileYaml(plain + limits("MeshLimit", 7), policies);
  const applied = (unit: Compiled["inbounds"][number] | Compiled["outbounds"][number] | undefined) =>
    unit?.applied.map(({ kind, conf }) => [kind, conf.value, conf.origins.map(({ kri }) => kri)]);
  assert.deepEqual(applied(compiled.outbounds[0]), [["MeshLimit", { timeout: 7 }, ["kri_meshlimit_default___limit_"]]]);
  assert.deepEqual(applied(compiled.inbounds[0]), [
    ["MeshLimit", { timeout: 7 }, ["kri_meshlimit_default___limit-in_"]],
  ]);
});
