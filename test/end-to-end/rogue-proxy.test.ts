import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { runHeddle, runInTerminal } from "@heddle/cli/testkit/run-heddle.ts";
import { SecretSchema } from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import type { DataplaneInsightSpec } from "@heddle/model/kinds/dataplane-insight.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import { eventually } from "../support/eventually.ts";
import { fakeSidecar, type FakeSidecarOptions } from "../support/fake-sidecar.ts";
import { ALLOW_ALL, type Lab, meshService, mtls, startLab } from "../support/lab.ts";

const OTHER = `
type: Mesh
name: other
mtls: { enabledBackend: ca-1, backends: [{ name: ca-1, type: builtin }] }
`;

async function insightOf(lab: Lab, name: string): Promise<DataplaneInsightSpec> {
  const found = await lab.controlPlane.store.get({ type: "DataplaneInsight", mesh: "default", name });
  assert.ok(found, `no insight of ${name}`);
  return found.spec as DataplaneInsightSpec;
}

test("a rogue proxy gets its own identity and nobody else's, whatever it asks for", async (t) => {
  const lab = await startLab(t);
  await lab.apply([mtls(), ALLOW_ALL, OTHER, meshService("backend")].join("---\n"));
  const start = async (name: string, more: Partial<FakeSidecarOptions> = {}) => {
    const networking = { inbound: [{ port: 8_080, servicePort: 8_081, name: "main", protocol: "http" }] };
    const proxy = fakeSidecar(t, lab.at, { name, token: await lab.token(name), networking, keepValues: true, ...more });
    await proxy.connect();
    return proxy;
  };
  const victim = await start("backend-1", { labels: { app: "backend" } });
  await eventually(() => assert.ok((victim.held.get(TYPE_URL.secret)?.size ?? 0) > 0, "the victim has no secrets yet"));
  const rogue = await start("rogue", {
    subscriptions: { [TYPE_URL.cluster]: "*", [TYPE_URL.listener]: "*", [TYPE_URL.secret]: "*" },
  });
  const stored = await Promise.all(
    ["default", "other"].map(async (mesh) => (await lab.controlPlane.store.list({ type: "Secret", mesh })).items),
  );
  const globals = (await lab.controlPlane.store.list({ type: "GlobalSecret" })).items;
  const names = [...stored.flat(), ...globals].map(({ name }) => name);
  assert.ok(names.includes("default.ca-builtin-key-ca-1"), names.join());
  rogue.subscribe(TYPE_URL.secret, [
    ...names,
    ...(victim.held.get(TYPE_URL.secret)?.keys() ?? []),
    "system_mtls_identity_other",
    "backend-1",
    "default.backend-1",
    "spiffe://default/backend-1",
    "../backend-1",
    "*",
    "",
  ]);
  rogue.subscribe(TYPE_URL.listener, [...(victim.held.get(TYPE_URL.listener)?.keys() ?? [])]);
  rogue.subscribe(TYPE_URL.cluster, [...(victim.held.get(TYPE_URL.cluster)?.keys() ?? [])]);
  await eventually(() => assert.ok((rogue.held.get(TYPE_URL.secret)?.size ?? 0) > 0, "the rogue has no secrets yet"));
  await lab.settled();

  const received = [...(rogue.held.get(TYPE_URL.secret)?.values() ?? [])].map(({ value }) =>
    fromBinary(SecretSchema, value ?? new Uint8Array()),
  );
  for (const { name, type } of received) {
    const isKnown = type.case === "validationContext" || type.case === "tlsCertificate";
    assert.ok(isKnown, `${name} is a ${type.case}`);
    if (type.case !== "tlsCertificate") continue;
    const chain = type.value.certificateChain?.specifier.value ?? "";
    const alternatives = new X509Certificate(Buffer.from(chain as string | Uint8Array)).subjectAltName ?? "";
    assert.doesNotMatch(alternatives, /backend-1|control-plane|other/, name);
  }
  const keysReceived = received.filter(({ type }) => type.case === "tlsCertificate").map(({ name }) => name);
  assert.ok(keysReceived.includes("system_mtls_identity_default"), keysReceived.join());
  const keyOf = (each: typeof rogue): string =>
    Buffer.from(each.held.get(TYPE_URL.secret)?.get("system_mtls_identity_default")?.value ?? []).toString("latin1");
  assert.notEqual(keyOf(rogue), keyOf(victim));
});

test("a rogue proxy is nobody but the one that its Dataplane and token say", async (t) => {
  const lab = await startLab(t);
  await lab.apply(OTHER);
  const token = await lab.token("rogue");
  const dataplane = (name: string, mesh = "default") => ({
    "dataplane.resource": JSON.stringify({ type: "Dataplane", mesh, name, networking: { address: "127.0.0.1" } }),
  });
  const attempts: readonly (readonly [string, Partial<FakeSidecarOptions> & { name: string }, RegExp])[] = [
    [
      "the node of another",
      { name: "victim", metadata: dataplane("rogue") },
      /Dataplane of the proxy is not valid: name/,
    ],
    [
      "the Dataplane of another",
      { name: "rogue", metadata: dataplane("victim") },
      /Dataplane of the proxy is not valid: name/,
    ],
    ["another mesh", { name: "rogue", metadata: dataplane("rogue", "other") }, /must be "default"/],
    ["a mesh that is not there", { name: "rogue", mesh: "nowhere" }, /mesh "nowhere" does not exist/],
    ["a stored Dataplane of another", { name: "victim", metadata: { "dataplane.resource": "" } }, /does not exist/],
  ];
  for (const [what, options, why] of attempts) {
    await t.test(what, async (st) => {
      await assert.rejects(fakeSidecar(st, lab.at, { token, ...options }).connect(), why);
    });
  }
  assert.equal((await lab.controlPlane.store.list({ type: "Dataplane", mesh: "default" })).total, 0);
});

test("a rogue proxy has the control plane connect somewhere, and sends nobody anything by it", async (t) => {
  const lab = await startLab(t);
  const received: Buffer[] = [];
  let connections = 0;
  const inner = createServer((socket) => {
    connections += 1;
    socket.on("data", (chunk: Buffer) => received.push(chunk)).on("error", () => undefined);
  }).listen(0, "127.0.0.1");
  await once(inner, "listening");
  t.after(() => inner.close());
  const innerPort = (inner.address() as AddressInfo).port;
  const apiPort = Number(new URL(lab.at.apiUrl).port);
  for (const [name, port] of [
    ["inner", innerPort],
    ["api", apiPort],
    ["self", lab.at.dpPort],
  ] as const) {
    const metadata = {
      "dataplane.admin.socketPath": "/tmp/../etc/passwd",
      "dataplane.inspect.port": String(port),
    };
    await fakeSidecar(t, lab.at, { name, token: await lab.token(name), metadata }).connect();
    const answer = await fetch(`${lab.at.apiUrl}/meshes/default/dataplanes/${name}/xds`);
    const text = await answer.text();
    assert.ok(answer.status >= 400, `${name}: ${answer.status}`);
    // That somebody is there, or nobody, and nothing of what they said.
    assert.doesNotMatch(text, /<html|basedOnKuma|instanceId|gRPC for Envoy/, name);
  }
  assert.equal(connections, 1);
  const bytes = Buffer.concat(received);
  // The first message of a TLS handshake, and no word of HTTP.
  assert.equal(bytes[0], 0x16);
  assert.doesNotMatch(bytes.toString("latin1"), /config_dump|GET |HTTP\/1/);

  // A stream that ends makes the control plane look whether the port still answers: without a byte.
  received.length = 0;
  const networking = { inbound: [{ port: innerPort, servicePort: 9, name: "main" }] };
  const gone = fakeSidecar(t, lab.at, { name: "gone", token: await lab.token("gone"), networking });
  await gone.connect();
  gone.disconnect();
  await eventually(() => assert.ok(connections > 1, "it did not look"));
  assert.equal(Buffer.concat(received).length, 0);
});

test("what a rogue proxy says steers no terminal, forges no line of a log and is not kept without bound", async (t) => {
  const lab = await startLab(t);
  await lab.apply(meshService("backend"));
  const evil = "\u001b[2J\u001b]0;owned\u0007\n2026-01-01 info  administrator logged in\r\u009b31m\u202e";
  const rogue = fakeSidecar(t, lab.at, {
    name: "rogue",
    token: await lab.token("rogue"),
    networking: { inbound: [{ port: 8_080, servicePort: 8_081, name: "main", protocol: "http" }] },
    metadata: { version: { kumaDp: { version: evil }, envoy: { version: evil } } },
    reject: () => evil + "x".repeat(3_000_000),
  });
  await rogue.connect();
  const { rejections = [] } = await eventually(async () => {
    const insight = await insightOf(lab, "rogue");
    assert.ok((insight.rejections ?? []).length > 0, "nothing is refused yet");
    return insight;
  });
  const longest = Math.max(...rejections.map(({ detail }) => detail.length));
  assert.ok(longest < 5_000, `a reason of ${longest} characters is stored`);

  const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/;
  // The log writes its own time dim, and that is all that may steer anything in it.
  const words = lab.log.map((line) => line.replaceAll(/\u001b\[(?:2|22|33|31|39)m/g, ""));
  const line = words.find((each) => each.includes("proxy refused configuration")) ?? "";
  assert.match(line, /administrator logged in/);
  for (const each of words) assert.doesNotMatch(each, /[\u0000-\u001f\u007f-\u009f]/);

  const env = { HEDDLE_ADDRESS: lab.at.apiUrl };
  for (const command of [
    ["inspect", "dataplane", "rogue"],
    ["inspect", "dataplanes"],
    ["get", "dataplane", "rogue", "-o", "yaml"],
  ]) {
    const { output } = await runInTerminal(command, { env });
    const shown = output.replaceAll(/\u001b\[(?:1|2|22|3[1-6]|39)m/g, "").replaceAll(/\r\u001b\[K/g, "");
    assert.match(shown, /rogue/);
    assert.doesNotMatch(shown, controls, command.join(" "));
  }
  // Programs get what was said, in the escapes of JSON.
  const { stdout } = await runHeddle(["inspect", "dataplane", "rogue", "-o", "json"], { env });
  assert.doesNotMatch(stdout, /\u001b/);
});

test("a rogue proxy with thousands of inbounds is refused, or costs the others nothing", async (t) => {
  const lab = await startLab(t);
  await lab.apply(meshService("backend"));
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ port: 1_024 + index, servicePort: 1_023, name: `p${index}` }));
  const connectWith = async (count: number): Promise<unknown> =>
    await fakeSidecar(t, lab.at, {
      name: "rogue",
      token: await lab.token("rogue"),
      labels: { app: "backend" },
      networking: { inbound: many(count) },
    }).connect();
  await assert.rejects(connectWith(20_000), /not valid|too|at most/);
  await connectWith(1_000);
  const started = performance.now();
  const honest = fakeSidecar(t, lab.at, { name: "web", token: await lab.token("web") });
  await honest.connect();
  await eventually(() => assert.ok(honest.counts.responses > 0, "the honest proxy got nothing"));
  const waited = performance.now() - started;
  assert.ok(waited < 5_000, `an honest proxy waited ${waited.toFixed(0)} ms`);
});
