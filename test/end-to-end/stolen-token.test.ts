import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:https";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { TokenService } from "@heddle/control-plane/identity/token-service.ts";
import { Secrets } from "@heddle/control-plane/secrets.ts";
import type { DataplaneInsightSpec } from "@heddle/model/kinds/dataplane-insight.ts";
import { eventually } from "../support/eventually.ts";
import { fakeSidecar, type FakeSidecarOptions } from "../support/fake-sidecar.ts";
import { type Lab, startLab } from "../support/lab.ts";

/** What a thief may do to the token file of a proxy: each needs a control plane that says no, in the proxy's own log. */
const BOUND = { name: "web", mesh: "default", validFor: "1h", workload: "web", tags: { team: ["blue"] } };
const LABELS = { "kuma.io/workload": "web", team: "blue" };

async function issue(lab: Lab, kind: "dataplane" | "zone" | "user", body: object): Promise<string> {
  const response = await fetch(`${lab.at.apiUrl}/tokens/${kind}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  assert.ok(response.ok, await response.clone().text());
  return await response.text();
}

const uses: readonly (readonly [what: string, proxy: Partial<FakeSidecarOptions> & { name: string }, why: RegExp])[] = [
  ["for another proxy", { name: "admin", labels: LABELS }, /is for name "web", but the proxy has "admin"/],
  ["in another mesh", { name: "web", mesh: "other", labels: LABELS }, /signature does not fit|is unknown here/],
  [
    "for another workload",
    { name: "web", labels: { ...LABELS, "kuma.io/workload": "admin" } },
    /is for workload "web", but the proxy has "admin"/,
  ],
  ["without its workload", { name: "web", labels: { team: "blue" } }, /is for workload "web", but the proxy has none/],
  [
    "under another team's label",
    { name: "web", labels: { ...LABELS, team: "red" } },
    /is for tag "team" "blue", but the proxy has "red"/,
  ],
  [
    "with another team's tag beside its own label",
    {
      name: "web",
      labels: LABELS,
      networking: { inbound: [{ port: 8_080, servicePort: 8_081, tags: { "kuma.io/service": "web", team: "red" } }] },
    },
    /is for tag "team" "blue", but the proxy has "red"/,
  ],
];

test("a stolen dataplane token is good for nobody else, and nothing of the attempt is stored", async (t) => {
  const lab = await startLab(t);
  await lab.apply("type: Mesh\nname: other\n");
  const token = await issue(lab, "dataplane", BOUND);
  for (const [what, proxy, why] of uses) {
    await t.test(what, async (st) => {
      await assert.rejects(fakeSidecar(st, lab.at, { token, ...proxy }).connect(), (error: Error) => {
        assert.match(error.message, /unauthenticated/);
        assert.match(error.message, why);
        return !error.message.includes(token.slice(-20));
      });
    });
  }
  for (const mesh of ["default", "other"]) {
    assert.equal((await lab.controlPlane.store.list({ type: "Dataplane", mesh })).total, 0);
  }
  const own = fakeSidecar(t, lab.at, { name: "web", labels: LABELS, token });
  await own.connect();
});

test("a token for a name alone does not change the labels of a Dataplane that an operator made", async (t) => {
  const lab = await startLab(t);
  const own = { "kuma.io/workload": "web", team: "blue" };
  const operators = { type: "Dataplane", mesh: "default", name: "web", labels: own };
  await lab.apply(JSON.stringify({ ...operators, networking: { address: "127.0.0.1" } }));
  const token = await issue(lab, "dataplane", { name: "web", mesh: "default", validFor: "1h" });
  const thief = fakeSidecar(t, lab.at, { name: "web", token, labels: { "kuma.io/workload": "admin", team: "red" } });
  await thief.connect();
  const stored = await lab.controlPlane.store.get({ type: "Dataplane", mesh: "default", name: "web" });
  assert.equal(stored?.labels["kuma.io/workload"], "web");
  assert.equal(stored?.labels["team"], "blue");
  const inUse = lab.controlPlane.meshes.get("default")?.snapshot.dataplanes.get("web");
  assert.equal(inUse?.resource.labels["kuma.io/workload"], "web");
});

test("tokens are good for their own door only: dataplane tokens at the API, zone and user tokens at the proxies' port", async (t) => {
  const lab = await startLab(t, { localhostIsAdmin: "false" });
  const tokens = new TokenService(new Secrets(lab.controlPlane.store), () => new Date());
  const forZone = await tokens.issueZoneToken({ zone: "default", scope: ["cp", "egress"], validForMillis: 60_000 });
  const forUser = await tokens.issueUserToken({
    name: "web",
    groups: ["mesh-system:admin"],
    validForMillis: 60_000,
  });
  const forProxy = await tokens.issueDataplaneToken({
    mesh: "default",
    name: "web",
    tags: {},
    type: "dataplane",
    validForMillis: 60_000,
  });
  assert.ok(forZone.ok && forUser.ok && forProxy.ok);
  for (const { token } of [forZone, forUser]) {
    await assert.rejects(
      fakeSidecar(t, lab.at, { name: "web", token }).connect(),
      /unauthenticated.*(unknown here|does not fit|not a dataplane token)/,
    );
    const bootstrap = await fetchBootstrap(lab, token);
    assert.match(bootstrap, /dataplane token is not accepted/);
  }
  for (const { token } of [forZone, forProxy]) {
    for (const path of ["/meshes/default/secrets", "/meshes", "/config"]) {
      const answer = await fetch(`${lab.at.apiUrl}${path}`, { headers: { authorization: `Bearer ${token}` } });
      assert.equal(answer.status, 401, `${path} with a token of another kind: ${await answer.text()}`);
    }
  }
  const good = await fetch(`${lab.at.apiUrl}/meshes/default/secrets`, {
    headers: { authorization: `Bearer ${forUser.token}` },
  });
  assert.equal(good.status, 200);
});

test("a token that is used from a second host does not push the proxy out, which is told", async (t) => {
  const lab = await startLab(t);
  const token = await lab.token("web");
  const own = fakeSidecar(t, lab.at, { name: "web", token });
  await own.connect();
  const thief = fakeSidecar(t, lab.at, {
    name: "web",
    token,
    from: "127.0.0.2",
    networking: { address: "127.0.0.2", inbound: [{ port: 8_080, servicePort: 8_081 }] },
  });
  await assert.rejects(thief.connect(), /permission_denied.*is connected from another host, which answers/);

  const key = { mesh: "default", name: "web" };
  const stored = await lab.controlPlane.store.get({ type: "Dataplane", ...key });
  assert.deepEqual(stored?.spec, { networking: { address: "127.0.0.1" } }, "the thief's address must not draw traffic");
  const insight = await eventually(async () => {
    const found = await lab.controlPlane.store.get({ type: "DataplaneInsight", ...key });
    const { refusedHosts = [] } = (found?.spec ?? {}) as DataplaneInsightSpec;
    assert.equal(refusedHosts.length, 1);
    return refusedHosts;
  });
  assert.match(insight[0]?.peer ?? "", /^127\.0\.0\.2:\d+$/);
  const line = lab.log.find((each) => each.includes("second host")) ?? "";
  assert.match(line, /127\.0\.0\.2/);
  assert.ok(!lab.log.join().includes(token), "the token must not be in the log");

  // Its own host may come back as it likes, and a proxy that moved may when the old place is silent.
  await fakeSidecar(t, lab.at, { name: "web", token }).connect();
  assert.equal((await own.ended).code, "aborted");
});

test("a proxy that moved takes over from a host that does not answer", async (t) => {
  const lab = await startLab(t);
  const token = await lab.token("web");
  const wire = await cuttableWire(t, lab.at.dpPort);
  await fakeSidecar(t, lab.at, { name: "web", token, port: wire.port }).connect();
  // As when a machine lost its power: the connection stands, and nobody answers.
  wire.cut();
  await fakeSidecar(t, lab.at, { name: "web", token, from: "127.0.0.2" }).connect();
});

test("a deleted Dataplane does not come back with a revoked token", async (t) => {
  const lab = await startLab(t);
  const token = await lab.token("web");
  const proxy = fakeSidecar(t, lab.at, { name: "web", token });
  await proxy.connect();
  const { jti } = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
  const revocations = { type: "Secret", mesh: "default", name: "dataplane-token-revocations-default" };
  await lab.controlPlane.store.create({ ...revocations, labels: {}, spec: { data: btoa(jti) } });
  assert.equal((await proxy.ended).code, "unauthenticated");
  await lab.delete("Dataplane", "web");
  await assert.rejects(proxy.connect(), /it was revoked/);
  assert.equal(await lab.controlPlane.store.get({ type: "Dataplane", mesh: "default", name: "web" }), undefined);
});

/** A port that leads to another one until it is cut: then no byte passes, and nobody is told. */
async function cuttableWire(t: TestContext, to: number): Promise<{ readonly port: number; readonly cut: () => void }> {
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(to, "127.0.0.1");
    for (const socket of [near, far]) sockets.push(socket.on("error", () => undefined));
    near.pipe(far);
    far.pipe(near);
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const cut = (): void => {
    for (const socket of sockets) socket.unpipe().pause();
  };
  return { port: (server.address() as AddressInfo).port, cut };
}

async function fetchBootstrap(lab: Lab, token: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const call = request(
    { host: "localhost", port: lab.at.dpPort, path: "/bootstrap", method: "POST", ca: lab.at.caPem },
    (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.once("end", () => resolve(`${response.statusCode} ${body}`));
    },
  );
  call.once("error", reject);
  const dataplaneResource = JSON.stringify({
    type: "Dataplane",
    mesh: "default",
    name: "web",
    networking: { address: "127.0.0.1" },
  });
  call.end(JSON.stringify({ mesh: "default", name: "web", dataplaneToken: token, dataplaneResource }));
  return await promise;
}
