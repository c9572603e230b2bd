import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResourceSet } from "@heddle/xds/resource.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import { applyPatch, type Operation } from "rfc6902";
import { envoyJson, REDACTED } from "./envoy-json.ts";
import { Lab } from "./testkit/lab.ts";
import { LABELLED, LABELLED_POLICIES, TAGGED } from "./testkit/meshes.ts";

const web = { mesh: "default", name: "web-1" };
const now = { shadow: false, includeDiff: false };
const shadowPolicy = `
type: MeshTimeout
mesh: default
name: slow
labels: { kuma.io/effect: shadow }
spec: { to: [{ targetRef: { kind: Mesh }, default: { http: { requestTimeout: 5s } } }] }
`;

test("config() shows what the proxy was sent", async () => {
  await using lab = new Lab();
  await lab.write(`${LABELLED}---${LABELLED_POLICIES}`);
  await lab.connect("default", "backend-1");
  let sent: ResourceSet = new Map();
  await lab.connect("default", "web-1", (_, set) => void (sent = set));
  const { xds } = (await lab.inspect.config(web, now)) ?? {};
  const expected = [...sent].map(([typeUrl, resources]) => [
    typeUrl,
    Object.fromEntries([...resources].map(([name, resource]) => [name, envoyJson(resource)])),
  ]);
  assert.deepEqual(xds, Object.fromEntries(expected));
  assert.equal(Object.keys(xds ?? {}).length, 5);
  assert.match(JSON.stringify(xds), /"typedConfig":\{"@type":"type.googleapis.com\/envoy.extensions/);
});

test("config() shows of a proxy that is not connected what it gets when it connects, but for secrets", async () => {
  await using lab = new Lab();
  await lab.write(TAGGED);
  await lab.connect("default", "backend-1");
  const before = await lab.inspect.config(web, now);
  await lab.connect("default", "web-1");
  const { [TYPE_URL.secret]: secrets, ...rest } = (await lab.inspect.config(web, now))?.xds ?? {};
  assert.deepEqual(before?.xds, rest);
  assert.ok(secrets);
});

test("config() shows certificates and no keys", async () => {
  await using lab = new Lab();
  await lab.write(TAGGED);
  const proxy = await lab.connect("default", "web-1");
  const text = JSON.stringify(await lab.inspect.config(web, { shadow: true, includeDiff: true }));
  const sent = Buffer.from(proxy.held?.secret.bytes ?? []).toString("latin1");
  assert.match(sent, /BEGIN PRIVATE KEY/);
  assert.doesNotMatch(text, /PRIVATE KEY/);
  assert.match(text, /BEGIN CERTIFICATE/);
  assert.ok(text.includes(`"privateKey":"${REDACTED}"`));
});

test("config() adds shadow policies when asked to, and says what they would change", async () => {
  await using lab = new Lab();
  await lab.write(`${TAGGED}---${shadowPolicy}`);
  const proxy = await lab.connect("default", "web-1");
  const { published } = proxy;
  const real = await lab.inspect.config(web, { shadow: false, includeDiff: true });
  const shadow = await lab.inspect.config(web, { shadow: true, includeDiff: true });
  assert.deepEqual(real?.diff, []);
  const path = `/${TYPE_URL.route.replaceAll("/", "~1")}/backend/virtualHosts/0/routes/0/route/timeout`;
  assert.deepEqual(shadow?.diff, [{ op: "replace", path, value: "5s" }]);
  const patched = structuredClone(real?.xds);
  applyPatch(patched, shadow?.diff as Operation[]);
  assert.deepEqual(patched, shadow?.xds);
  assert.deepEqual((await lab.inspect.config(web, now))?.xds, real?.xds, "looking at it puts it in force");
  assert.equal(proxy.published, published);
});
