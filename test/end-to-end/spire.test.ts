import assert from "node:assert/strict";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { fakeSidecar } from "../support/fake-sidecar.ts";
import { authority, callWith } from "../support/foreign-authority.ts";
import { type Lab, meshService, type Sidecar, startLab } from "../support/lab.ts";
import { startSpire } from "../support/real-spire.ts";
import { rogueServer } from "../support/rogue-server.ts";
import { type Agent, startSdsAgent } from "../support/sds-agent.ts";
import { ask, steadyTraffic } from "../support/traffic.ts";

const DOMAIN = "spire.example";
const id = (workload: string): string => `spiffe://${DOMAIN}/workload/${workload}`;

const MESH = `
type: MeshIdentity
mesh: default
name: spire
spec:
  selector: { dataplane: { matchLabels: {} } }
  spiffeID: { trustDomain: ${DOMAIN} }
  provider: { type: Spire, spire: { agent: { timeout: 2s } } }
---
type: MeshTrafficPermission
mesh: default
name: web
spec: { rules: [{ default: { allow: [{ spiffeID: { type: Exact, value: "${id("web")}" } }] } }] }
---
${meshService("backend")}`;

async function startBackend(t: TestContext, lab: Lab, agent: Agent, more: { noWait?: true } = {}): Promise<Sidecar> {
  const app = await application(t, "backend", (request, response) => {
    response.end(String(request.headers["x-forwarded-client-cert"] ?? "nobody"));
  });
  const labels = { app: "backend", "kuma.io/workload": "backend" };
  const env = { KUMA_DATAPLANE_RUNTIME_SPIRE_SOCKET_PATH: agent.socket };
  return await lab.sidecar({ name: "backend-1", labels, servicePort: app.port, env, ...more });
}

async function startCaller(lab: Lab, agent: Agent, name: string): Promise<Sidecar> {
  const env = { KUMA_DATAPLANE_RUNTIME_SPIRE_SOCKET_PATH: agent.socket };
  return await lab.sidecar({ name: `${name}-1`, labels: { "kuma.io/workload": name }, calls: ["backend"], env });
}

/** Two sidecars that have nothing but what the agent gives them: one is let in, another one is not. */
async function meet(t: TestContext, lab: Lab, agent: Agent): Promise<Sidecar> {
  for (const workload of ["backend", "web", "other"]) await agent.grant(id(workload));
  await startBackend(t, lab, agent);
  const web = await startCaller(lab, agent, "web");
  await eventually(async () => {
    const { status, body } = await ask(web.outbound("backend"));
    assert.equal(status, 200, body);
    assert.match(body, new RegExp(`By=${id("backend")};.*URI=${id("web")}`));
  }, 20_000);
  const other = await startCaller(lab, agent, "other");
  await eventually(async () => assert.equal((await ask(other.outbound("backend"))).status, 403), 20_000);
  for (const { name, set } of lab.controlPlane.meshes.get("default")?.proxies.values() ?? []) {
    const secrets = set.get("type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret");
    assert.equal(secrets?.size, 0, `${name} gets no secret from the control plane`);
  }
  return web;
}

test("spire: proxies have their identity from the agent, and traffic goes on while it renews and while it is away", async (t) => {
  const lab = await startLab(t);
  await lab.apply(MESH);
  const agent = await startSdsAgent(t, join(lab.folder, "agent.sock"), DOMAIN);
  const web = await meet(t, lab, agent);
  const traffic = steadyTraffic(t, web.outbound("backend"), 100);
  const before = agent.issued();
  for (let round = 0; round < 3; round += 1) await agent.renew();
  assert.ok(agent.issued() >= before + 6, `${agent.issued() - before} certificates were renewed`);
  await agent.stop();

  await t.test("a proxy that starts while the agent is away opens no port, and the reason can be read", async () => {
    const late = await lab.sidecar({
      name: "late-1",
      labels: { app: "late", "kuma.io/workload": "late" },
      servicePort: 1,
      env: { KUMA_DATAPLANE_RUNTIME_SPIRE_SOCKET_PATH: agent.socket },
      noWait: true,
    });
    await eventually(async () => {
      const report = JSON.stringify(await lab.get("/meshes/default/_certificates"));
      assert.match(report, /late-1.*the SPIRE agent beside the proxy has given it no certificate yet/);
    }, 20_000);
    const { facts } = lab.controlPlane.meshes.get("default")?.snapshot.dataplanes.get("late-1") ?? {};
    assert.equal(facts?.warm, false, "nobody sends it requests");
    assert.equal((await ask(`http://127.0.0.1:${late.inboundPort}`)).status, 0);
  });

  await t.test("it is served once the agent is back and knows it", async () => {
    await agent.grant(id("late"));
    await agent.start();
    await eventually(() => {
      const { facts } = lab.controlPlane.meshes.get("default")?.snapshot.dataplanes.get("late-1") ?? {};
      assert.equal(facts?.warm, true);
    }, 40_000);
  });
  const tally = await traffic.stop();
  assert.deepEqual(tally.failures, []);
});

test("spire: whom the agent federates with passes for nobody here, neither as a caller nor as a server", async (t) => {
  const lab = await startLab(t);
  await lab.apply([MESH, meshService("late")].join("---\n"));
  const agent = await startSdsAgent(t, join(lab.folder, "agent.sock"), DOMAIN);
  const other = await authority("other.example");
  agent.federate("other.example", other.pem);
  for (const workload of ["backend", "web"]) await agent.grant(id(workload));
  const { inboundPort } = await startBackend(t, lab, agent);
  await eventually(async () => {
    const right = await callWith(inboundPort, await agent.issue(id("web")));
    assert.match(right, /^200 /);
  }, 20_000);
  const posing = await other.issue("spiffe://other.example/rogue", id("web"));
  assert.equal(await callWith(inboundPort, posing), "refused");

  const rogue = await rogueServer(t, await other.issue("spiffe://other.example/rogue", id("late")));
  const stale = fakeSidecar(t, lab.at, {
    name: "late-1",
    token: await lab.token("late-1", "default", "1h", "late"),
    labels: { app: "late", "kuma.io/workload": "late" },
    networking: { inbound: [{ port: rogue.port, servicePort: 8_080, name: "main", protocol: "http" }] },
  });
  await stale.connect();
  await lab.settled();
  const env = { KUMA_DATAPLANE_RUNTIME_SPIRE_SOCKET_PATH: agent.socket };
  const web = await lab.sidecar({ name: "web-1", labels: { "kuma.io/workload": "web" }, calls: ["late"], env });
  await eventually(async () => {
    assert.equal((await ask(web.outbound("late"))).status, 503);
    assert.ok(rogue.called() > 0, "nobody called yet");
  }, 20_000);
  assert.equal(rogue.got(), 0, "the request must not reach the other domain's server");
  rogue.show(await agent.issue(id("late")));
  await eventually(async () => assert.equal((await ask(web.outbound("late"))).body, "answered"));
});

test("spire: the same with a real server and agent", async (t) => {
  const bin = process.env["HEDDLE_SPIRE_BIN"];
  if (bin === undefined) return t.skip("set HEDDLE_SPIRE_BIN to a folder with spire-server and spire-agent");
  const lab = await startLab(t);
  await lab.apply(MESH);
  await meet(t, lab, await startSpire(t, bin, lab.folder, DOMAIN));
});
