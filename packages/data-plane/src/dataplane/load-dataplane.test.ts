import assert from "node:assert/strict";
import { test } from "node:test";
import { LaunchError } from "../launch-error.ts";
import { resolveOptions, type Flags } from "../options/resolve-options.ts";
import { listenAddresses } from "./listen-addresses.ts";
import { loadDataplane } from "./load-dataplane.ts";

const TEMPLATE = `
type: Dataplane
mesh: default
name: "{{ name }}"
networking:
  address: "{{ address }}"
  inbound:
    - { port: 10080, servicePort: 8080, tags: { kuma.io/service: backend } }
`;

test("loadDataplane() fills in variables and gives name, mesh and JSON", async () => {
  const loaded = await load({ dataplane: TEMPLATE, dataplaneVar: ["name=backend-1", "address=10.0.0.1"] });
  assert.equal(loaded.name, "backend-1");
  assert.equal(loaded.mesh, "default");
  assert.equal(JSON.parse(loaded.resource ?? "").networking.address, "10.0.0.1");
});

test("loadDataplane() takes a Dataplane without a mesh for one of the default mesh", async () => {
  const loaded = await load({ dataplane: '{"type":"Dataplane","name":"x","networking":{"address":"10.0.0.1"}}' });
  assert.equal(loaded.mesh, "default");
  assert.equal(JSON.parse(loaded.resource ?? "").mesh, "default");
});

test("loadDataplane() leaves the Dataplane to the control plane when there is only a name", async () => {
  assert.deepEqual(await load({ name: "x", mesh: "demo" }), { name: "x", mesh: "demo" });
});

test("loadDataplane() passes on zone proxies of Kuma 2.x unread", async () => {
  const loaded = await load({ dataplane: "type: ZoneIngress\nname: zi\nnetworking: { port: 10001 }" });
  assert.equal(loaded.name, "zi");
  assert.equal(loaded.networking, undefined);
});

const mistakes = [
  [
    "a variable without a value",
    { dataplane: TEMPLATE, dataplaneVar: ["name=x"] },
    /{{ address }}: has no value: add --dataplane-var address=/,
  ],
  ["a broken template", { dataplane: "name: {{ name" }, /is no template/],
  ["broken YAML", { dataplane: "a: [1" }, /at line 1/],
  ["several documents", { dataplane: "a: 1\n---\nb: 2" }, /one document/],
  ["a text", { dataplane: "hello" }, /must be YAML or JSON of a Dataplane/],
  [
    "an unknown field",
    { dataplane: "type: Dataplane\nname: x\nnetworking: { addres: 10.0.0.1 }" },
    /networking\.addres: unknown field, did you mean "address"/,
  ],
  ["another kind", { dataplane: "type: Mesh\nname: x" }, /type: must be "Dataplane"/],
  ["a missing name", { dataplane: "type: Dataplane\nnetworking: { address: 10.0.0.1 }" }, /name: must be set/],
  ["nothing", {}, /no Dataplane and no name/],
  ["two sources", { dataplane: "a: 1", dataplaneFile: "x" }, /both --dataplane and --dataplane-file/],
  ["a name beside a Dataplane", { dataplane: "a: 1", name: "x" }, /--name or --mesh with a Dataplane/],
  ["a missing file", { dataplaneFile: "/no/such/file" }, /Cannot read Dataplane "\/no\/such\/file": no such file/],
] as const satisfies readonly (readonly [string, Flags, RegExp])[];

for (const [what, flags, expected] of mistakes) {
  test(`loadDataplane() explains ${what}`, async () => {
    const error = await load(flags).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof LaunchError, String(error));
    assert.match([error.message, ...error.details].join("\n"), expected);
  });
}

test("listenAddresses() lists what Envoy binds, and nothing under transparent proxying", async () => {
  const dataplane = (extra: string): string => `
type: Dataplane
name: x
networking:
  address: 10.0.0.1
  inbound: [{ port: 80, servicePort: 8080, name: web }, { port: 81, address: 10.0.0.2 }, { port: 82, state: Ignored }]
  outbound: [{ port: 9000, backendRef: { kind: MeshService, name: api, port: 80 } }]
  ${extra}`;
  const { networking } = await load({ dataplane: dataplane("") });
  assert.deepEqual(
    listenAddresses(networking).map(({ address, port, purpose }) => `${address}:${port} ${purpose}`),
    ["10.0.0.1:80 inbound web", "10.0.0.2:81 inbound 81", "127.0.0.1:9000 outbound api"],
  );
  const transparent = await load({ dataplane: dataplane("transparentProxying: { redirectPortOutbound: 15001 }") });
  assert.deepEqual(listenAddresses(transparent.networking), []);
});

function load(flags: Flags) {
  const options = resolveOptions(flags);
  assert.ok(options.ok);
  return loadDataplane(options.value);
}
