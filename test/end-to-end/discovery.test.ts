import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { ALLOW_ALL, meshService, mtls, startLab } from "../support/lab.ts";
import { ask, steadyTraffic } from "../support/traffic.ts";

test("discovery: instances come and go in order under traffic, and no request fails", async (t) => {
  const lab = await startLab(t);
  await lab.apply([mtls(), ALLOW_ALL, meshService("backend")].join("---\n"));
  const start = async (name: string) => {
    const app = await application(t, name);
    return await lab.sidecar({
      name,
      labels: { app: "backend", "kuma.io/workload": "backend" },
      servicePort: app.port,
    });
  };
  await start("backend-1");
  const web = await lab.sidecar({ name: "web-1", labels: { "kuma.io/workload": "web" }, calls: ["backend"] });
  await eventually(async () => assert.equal((await ask(web.outbound("backend"))).status, 200));

  const traffic = steadyTraffic(t, web.outbound("backend"), 100);
  await sleep(300);
  const second = await start("backend-2");
  await sleep(700);
  assert.equal(await second.stop(), 0, second.output());
  await sleep(500);
  const tally = await traffic.stop();
  assert.deepEqual(tally.failures, []);
  assert.ok(
    (tally.byBody.get("backend-1") ?? 0) > 0 && (tally.byBody.get("backend-2") ?? 0) > 0,
    JSON.stringify([...tally.byBody]),
  );
  const gone = await fetch(`${lab.controlPlane.apiUrl}/meshes/default/dataplanes/backend-2`);
  assert.equal(gone.status, 404, "a proxy that said goodbye takes its Dataplane along");
});

test("discovery: a killed proxy leaves load balancing and is shown as offline", async (t) => {
  const lab = await startLab(t, { deregistrationDelay: "30s" });
  await lab.apply(meshService("backend"));
  for (const name of ["backend-1", "backend-2"]) {
    const app = await application(t, name);
    const sidecar = await lab.sidecar({
      name,
      labels: { app: "backend" },
      servicePort: app.port,
      env: { HEDDLE_TEST: name },
    });
    if (name === "backend-2") t.diagnostic(`backend-2 is process ${sidecar.process.pid}`);
  }
  const web = await lab.sidecar({ name: "web-1", calls: ["backend"] });
  await eventually(async () => assert.equal((await ask(web.outbound("backend"))).body, "backend-2"));

  const insight = lab.controlPlane.meshes.get("default")?.proxies.get("backend-2");
  assert.ok(insight);
  const { killSidecar } = await import("../support/kill-sidecar.ts");
  await killSidecar(lab, "backend-2");
  await eventually(async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(web.outbound("backend"))));
    assert.ok(
      answers.every(({ body }) => body === "backend-1"),
      "requests still go to the dead proxy",
    );
  }, 5_000);
});

test("discovery: Kuma 2.x tags and a host name: a MeshService appears, and requests get there", async (t) => {
  const lab = await startLab(t);
  const app = await application(t, "tagged");
  const tags = { "kuma.io/service": "backend", "kuma.io/protocol": "http" };
  const backend = await lab.sidecar({ name: "backend-1", address: "localhost", tags, servicePort: app.port });
  const service = (await eventually(() => lab.get("/meshes/default/meshservices/backend"))) as {
    spec: { ports: { port: number }[] };
  };
  assert.deepEqual(
    service.spec.ports.map(({ port }) => port),
    [backend.inboundPort],
  );
  const web = await lab.sidecar({ name: "web-1", calls: ["backend"], callPort: backend.inboundPort });
  await eventually(async () => assert.equal((await ask(web.outbound("backend"))).body, "tagged"));
});

test("discovery: a Dataplane that is deleted under its running proxy comes back with it", async (t) => {
  const lab = await startLab(t);
  const app = await application(t, "backend");
  await lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port });
  await lab.delete("Dataplane", "backend-1");
  await eventually(() => lab.get("/meshes/default/dataplanes/backend-1"), 10_000);
  await eventually(() => assert.ok(lab.controlPlane.meshes.get("default")?.proxies.get("backend-1")?.isSynced));
});
