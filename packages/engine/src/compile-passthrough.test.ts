import assert from "node:assert/strict";
import { test } from "node:test";
import { typeUrlOf } from "@heddle/envoy/any.ts";
import { ClusterSchema } from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "@heddle/envoy/gen/envoy/config/listener/v3/listener_pb.js";
import type { Compiled } from "./compile.ts";
import { compileYaml } from "./testkit/compile-yaml.ts";
import { decoded } from "./testkit/decode.ts";
import { assertEnvoyAccepts } from "./testkit/envoy-accepts.ts";

const [CLUSTER, LISTENER] = [typeUrlOf(ClusterSchema), typeUrlOf(ListenerSchema)];
const OUTGOING = ["self_transparentproxy_passthrough_outbound_ipv4", "self_transparentproxy_passthrough_outbound_ipv6"];
const INCOMING = ["self_transparentproxy_passthrough_inbound_ipv4", "self_transparentproxy_passthrough_inbound_ipv6"];

/** A proxy with an inbound and with outbounds on loopback and at an address of its own. */
function proxy(transparentProxying: string, mesh = ""): Compiled {
  return compileYaml(
    `
type: Mesh
name: default
${mesh}
---
type: Dataplane
name: web-1
networking:
  address: 192.168.0.2
  inbound: [{ port: 8080, servicePort: 18080, name: main, protocol: http }]
  outbound:
    - { port: 10001, backendRef: { kind: MeshService, name: backend, port: 80 } }
    - { address: 240.0.0.1, port: 80, backendRef: { kind: MeshService, name: backend, port: 80 } }
  ${transparentProxying}
---
type: MeshService
name: backend
spec:
  selector: { dataplaneLabels: { matchLabels: { app: backend } } }
  ports: [{ port: 80, name: main, targetPort: 8080, appProtocol: http }]
`,
    [],
  );
}

const bothWays = "transparentProxying: { redirectPortInbound: 15006, redirectPortOutbound: 15001 }";

test("compile() gives a proxy without redirection nothing to redirect to", () => {
  const { resources } = proxy("");
  const names = [...resources.values()].flatMap((byName) => [...byName.keys()]);
  assert.deepEqual(
    names.filter((name) => name.includes("passthrough")),
    [],
  );
  assert.equal(JSON.stringify(listeners(resources)).includes("bindToPort"), false);
});

test("compile() makes listeners for what is redirected, and clusters for where it wanted to go", () => {
  const { resources } = proxy(bothWays);
  for (const name of [...OUTGOING, ...INCOMING]) {
    assert.equal(listeners(resources).get(name)?.["useOriginalDst"], true, name);
    assert.ok(resources.get(CLUSTER)?.has(name), name);
  }
  assert.deepEqual(
    OUTGOING.map((name) => listeners(resources).get(name)?.["address"]),
    ["0.0.0.0", "::"].map((address) => ({ socketAddress: { address, portValue: 15_001 } })),
  );
});

test("compile() makes them for IPv4 only, and for one direction only, where the Dataplane says so", () => {
  const { resources } = proxy("transparentProxying: { redirectPortOutbound: 15001, ipFamilyMode: IPv4 }");
  const names = [...listeners(resources).keys()].filter((name) => name.includes("passthrough"));
  assert.deepEqual(names, [OUTGOING[0]]);
});

test("compile() leaves the ports of redirected listeners free, and binds those on loopback", () => {
  const { resources } = proxy(bothWays);
  const bound = [...listeners(resources)].filter(([, { bindToPort }]) => bindToPort !== false).map(([name]) => name);
  const names = bound.filter((name) => !name.includes("passthrough"));
  assert.deepEqual(names, ["kri_msvc_default___backend_main:10001"]);
});

test("compile() leaves loopback listeners of a redirected proxy as they are without redirection", () => {
  const name = "kri_msvc_default___backend_main:10001";
  const [plain, redirected] = [proxy(""), proxy(bothWays)].map(
    ({ resources }) => resources.get(LISTENER)?.get(name)?.version,
  );
  assert.ok(plain);
  assert.equal(redirected, plain);
});

test("compile() lets nothing pass where Mesh.networking.outbound.passthrough is false", () => {
  const { resources, passthrough } = proxy(bothWays, "networking: { outbound: { passthrough: false } }");
  const clusters = resources.get(CLUSTER);
  assert.deepEqual(passthrough.plan, { mode: "none" });
  assert.deepEqual(
    [...OUTGOING, ...INCOMING].map((name) => clusters?.has(name)),
    [false, false, true, true],
  );
});

test("compile() makes passthrough listeners that Envoy takes", { timeout: 60_000 }, async () => {
  await assertEnvoyAccepts([{ name: "both", compiled: proxy(bothWays) }]);
});

function listeners(resources: Compiled["resources"]): ReadonlyMap<string, Record<string, unknown>> {
  const all = resources.get(LISTENER) ?? new Map<string, never>();
  return new Map([...all].map(([name, resource]) => [name, decoded(resource)]));
}
