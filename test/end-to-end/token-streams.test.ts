import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { generateSigningKey } from "@heddle/identity/signing-key.ts";
import { HEALTH_PATH } from "@heddle/xds/health-service.ts";
import { create, toBinary } from "@bufbuild/protobuf";
import { HealthCheckRequestOrEndpointHealthResponseSchema as HealthMessage } from "@heddle/envoy/gen/envoy/service/health/v3/hds_pb.js";
import { framed, openRaw } from "@heddle/xds/testkit/raw-stream.ts";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { fakeSidecar } from "../support/fake-sidecar.ts";
import { type Lab, meshService, startLab } from "../support/lab.ts";
import { ask, steadyTraffic } from "../support/traffic.ts";

const KEY = { type: "Secret", mesh: "default", name: "dataplane-token-signing-key-default-1" };
/** Within this a stream ends whose token is not good any more. */
const LIMIT_MILLIS = 2_000;

const idOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8")).jti;

const expiryOf = (token: string): number =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8")).exp * 1_000;

async function revoke(lab: Lab, ...tokens: string[]): Promise<void> {
  const data = Buffer.from(tokens.map(idOf).join(",")).toString("base64");
  const name = "dataplane-token-revocations-default";
  const response = await lab.put({ type: "Secret", mesh: "default", name, data } as Parameters<Lab["put"]>[0]);
  assert.ok(response.ok, await response.text());
}

const live = (lab: Lab): number => lab.controlPlane.meshes.get("default")?.proxies.size ?? 0;

test("a revocation ends five hundred streams within two seconds, and leaves those of other tokens alone", async (t) => {
  const lab = await startLab(t);
  // Without a name a token is good for any proxy of the mesh.
  const shared = await lab.token("");
  const proxies = Array.from({ length: 500 }, (_, index) =>
    fakeSidecar(t, lab.at, { name: `web-${index}`, token: shared }),
  );
  const other = fakeSidecar(t, lab.at, { name: "other", token: await lab.token("other") });
  await Promise.all([...proxies, other].map((proxy) => proxy.connect()));
  const revoked = performance.now();
  await revoke(lab, shared);
  const ends = await Promise.all(proxies.map(({ ended }) => ended));
  const took = performance.now() - revoked;
  t.diagnostic(`500 streams ended within ${took.toFixed(0)} ms of the request`);
  assert.ok(took < LIMIT_MILLIS, `it took ${took.toFixed(0)} ms`);
  for (const { code, message } of ends) {
    assert.equal(code, "unauthenticated");
    assert.match(message, /token of this proxy was revoked; make a new one/);
  }
  await assert.rejects(proxies[0]?.connect() ?? Promise.resolve(), /it was revoked/);
  assert.equal(live(lab), 1, "the proxy with another token keeps its stream");
});

test("a token that is revoked while its proxies are being let in opens nothing that stays", async (t) => {
  const lab = await startLab(t);
  const shared = await lab.token("");
  const proxies = Array.from({ length: 200 }, (_, index) =>
    fakeSidecar(t, lab.at, { name: `web-${index}`, token: shared }),
  );
  const attempts = proxies.map((proxy) => proxy.connect().catch(() => undefined));
  await eventually(() => assert.ok(live(lab) > 0, "nobody is in yet"));
  await revoke(lab, shared);
  await Promise.all(attempts);
  const ends = await Promise.all(proxies.map(({ ended }) => ended));
  assert.deepEqual([...new Set(ends.map(({ code }) => code))], ["unauthenticated"]);
  assert.equal(live(lab), 0);
});

test("a signing key that is deleted or replaced takes its tokens and their streams along", async (t) => {
  const lab = await startLab(t);
  const { store } = lab.controlPlane;
  const data = async (): Promise<string> => Buffer.from(await generateSigningKey()).toString("base64");
  const old = await lab.token("web");
  const proxy = fakeSidecar(t, lab.at, { name: "web", token: old });
  await proxy.connect();
  // Another key of a later number changes nothing for the old tokens.
  const second = { ...KEY, name: KEY.name.replace(/1$/, "2") };
  await store.create({ ...second, labels: {}, spec: { data: await data() } });
  const newer = await lab.token("web-2");
  const proxyOfNewer = fakeSidecar(t, lab.at, { name: "web-2", token: newer });
  await proxyOfNewer.connect();
  assert.equal(live(lab), 2);

  const deleted = performance.now();
  await lab.delete("Secret", KEY.name);
  const { code, message } = await proxy.ended;
  assert.ok(performance.now() - deleted < LIMIT_MILLIS);
  assert.equal(code, "unauthenticated");
  assert.match(message, /was signed by key "1", which is gone or replaced/);
  await assert.rejects(proxy.connect(), /signing key "1" is unknown here/);

  const key = await store.get(second);
  assert.ok(key);
  await store.update({ ...second, labels: {}, spec: { data: await data() } }, key.version);
  assert.match((await proxyOfNewer.ended).message, /was signed by key "2", which is gone or replaced/);
  await assert.rejects(proxyOfNewer.connect(), /signature does not fit/);
});

test("a revocation ends the health stream of a proxy as well", async (t) => {
  const lab = await startLab(t);
  const token = await lab.token("web");
  await lab.apply("type: Dataplane\nmesh: default\nname: web\nnetworking: { address: 127.0.0.1 }\n");
  using raw = openRaw(lab.at.dpPort, lab.at.caPem, { path: HEALTH_PATH, token });
  const first = { case: "healthCheckRequest", value: { node: { id: "default.web" } } } as const;
  raw.stream.write(framed(toBinary(HealthMessage, create(HealthMessage, { requestType: first }))));
  await once(raw.stream, "data");
  await revoke(lab, token);
  assert.match(await raw.ended, /^unauthenticated: the token of this proxy was revoked/);
});

test("a token that expires takes its streams along", async (t) => {
  const lab = await startLab(t);
  const shared = await lab.token("", "default", "4s");
  const proxies = Array.from({ length: 50 }, (_, index) =>
    fakeSidecar(t, lab.at, { name: `web-${index}`, token: shared }),
  );
  const other = fakeSidecar(t, lab.at, { name: "other", token: await lab.token("other") });
  await Promise.all([...proxies, other].map((proxy) => proxy.connect()));
  const ends = await Promise.all(proxies.map(({ ended }) => ended));
  assert.ok(Date.now() < expiryOf(shared) + LIMIT_MILLIS, "the streams lasted longer than the token");
  for (const { code, message } of ends) {
    assert.equal(code, "unauthenticated");
    assert.match(message, /token of this proxy expired at .*; make a new one/);
  }
  await assert.rejects(proxies[0]?.connect() ?? Promise.resolve(), /it expired at/);
  assert.equal(live(lab), 1, "the proxy with another token keeps its stream");
});

test("a real Envoy whose token ends comes back with what stands in its token file by then, and no request fails", async (t) => {
  const lab = await startLab(t);
  await lab.apply(meshService("backend"));
  const app = await application(t, "backend");
  await lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port });
  const token = await lab.token("web-1", "default", "10s");
  const env = { HEDDLE_DATAPLANE_TOKEN_CHECK_INTERVAL: "1s" };
  const web = await lab.sidecar({ name: "web-1", calls: ["backend"], token, env });
  assert.ok(Date.now() < expiryOf(token), "the sidecar took too long to start");
  await eventually(async () => assert.equal((await ask(web.outbound("backend"))).status, 200));
  const traffic = steadyTraffic(t, web.outbound("backend"), 20);
  await writeFile(join(lab.folder, "web-1.token"), `${await lab.token("web-1")}\n`);

  const connections = (): number =>
    lab.log.filter((line) => line.includes("proxy connected") && line.includes("web-1")).length;
  assert.equal(connections(), 1, "a renewed token changes nothing for the stream that is there");
  await eventually(() => assert.equal(connections(), 2), 20_000);
  assert.ok(Date.now() >= expiryOf(token));
  await lab.settled();
  assert.ok(lab.controlPlane.meshes.get("default")?.proxies.has("web-1"));
  assert.deepEqual((await traffic.stop()).failures, []);
});

test("a revocation ends the stream of a real Envoy within two seconds; what it has stays in force", async (t) => {
  const lab = await startLab(t);
  await lab.apply(meshService("backend"));
  const app = await application(t, "backend");
  await lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port });
  const token = await lab.token("web-1");
  const web = await lab.sidecar({ name: "web-1", calls: ["backend"], token });
  await eventually(async () => assert.equal((await ask(web.outbound("backend"))).status, 200));
  const proxies = lab.controlPlane.meshes.get("default")?.proxies;
  const revoked = performance.now();
  await revoke(lab, token);
  await eventually(() => assert.equal(proxies?.has("web-1"), false, "its stream is still there"), LIMIT_MILLIS);
  const took = performance.now() - revoked;
  t.diagnostic(`the stream ended within ${took.toFixed(0)} ms`);
  assert.ok(took < LIMIT_MILLIS);
  assert.ok(proxies?.has("backend-1"));
  assert.equal((await ask(web.outbound("backend"))).status, 200);
});
