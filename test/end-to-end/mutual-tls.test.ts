import assert from "node:assert/strict";
import { test } from "node:test";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { ALLOW_ALL, meshService, mtls, startLab } from "../support/lab.ts";
import { ask, steadyTraffic } from "../support/traffic.ts";

test("mutual TLS: the server side sees who calls, and nobody gets in without a permission", async (t) => {
  const lab = await startLab(t);
  await lab.apply([mtls(), meshService("backend")].join("---\n"));
  const app = await application(t, "backend", (request, response) => {
    response.end(String(request.headers["x-forwarded-client-cert"] ?? "nobody"));
  });
  await lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port });
  const web = await lab.sidecar({ name: "web-1", labels: { "kuma.io/workload": "web" }, calls: ["backend"] });

  await t.test("without a permission the request is denied", async () => {
    const denied = await eventually(async () => {
      const answer = await ask(web.outbound("backend"));
      assert.notEqual(answer.status, 503, "the backend is not discovered yet");
      return answer;
    });
    assert.equal(denied.status, 403);
    assert.match(denied.body, /RBAC: access denied/);
  });

  await t.test("the reason can be found", async () => {
    const report = (await lab.get("/meshes/default/dataplanes/backend-1/_access?from=web-1")) as {
      inbounds: { decision: string; reason: string; fix?: string }[];
    };
    assert.equal(report.inbounds[0]?.decision, "deny");
    assert.match(report.inbounds[0]?.reason ?? "", /spiffe:\/\/default\/web/);
    assert.match(report.inbounds[0]?.fix ?? "", /MeshTrafficPermission/);
  });

  await t.test("with a permission it passes, and the certificate says who called", async () => {
    await lab.apply(ALLOW_ALL);
    await lab.settled();
    const allowed = await ask(web.outbound("backend"));
    assert.equal(allowed.status, 200);
    assert.match(allowed.body, /URI=spiffe:\/\/default\/web/);
  });

  await t.test("a caller without a certificate of the mesh gets no connection", async () => {
    const backend = lab.controlPlane.meshes.get("default")?.snapshot.dataplanes.get("backend-1");
    const port = backend?.resource.spec.networking.inbound?.[0]?.port;
    const answer = await ask(`http://127.0.0.1:${port}`);
    assert.equal(answer.status, 0, "plain text must not get through");
  });

  await t.test("a permission that names another caller does not let this one in", async () => {
    await lab.delete("MeshTrafficPermission", "allow-all");
    await lab.apply(`
type: MeshTrafficPermission
mesh: default
name: only-admin
spec:
  targetRef: { kind: Dataplane, labels: { app: backend } }
  rules:
    - default:
        allow:
          - spiffeID: { type: Exact, value: "spiffe://default/admin" }
`);
    await lab.settled();
    assert.equal((await ask(web.outbound("backend"))).status, 403);
  });
});

test("mutual TLS: a change of permissions leaves connections alone", async (t) => {
  const lab = await startLab(t);
  await lab.apply([mtls(), ALLOW_ALL, meshService("backend")].join("---\n"));
  const app = await application(t, "backend");
  await lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port });
  const web = await lab.sidecar({ name: "web-1", labels: { "kuma.io/workload": "web" }, calls: ["backend"] });
  await eventually(async () => assert.equal((await ask(web.outbound("backend"))).status, 200));

  const listeners = (name: string) =>
    lab.controlPlane.meshes
      .get("default")
      ?.proxies.get(name)
      ?.set.get("type.googleapis.com/envoy.config.listener.v3.Listener");
  const before = listeners("backend-1");
  await lab.apply(`
type: MeshTrafficPermission
mesh: default
name: deny-nobody
spec:
  rules:
    - default:
        deny:
          - spiffeID: { type: Exact, value: "spiffe://default/nobody" }
`);
  await lab.settled();
  assert.equal(
    listeners("backend-1"),
    before,
    "a permission must not touch listeners: Envoy would drain their connections",
  );
  assert.equal((await ask(web.outbound("backend"))).status, 200);
});

test("mutual TLS: from plain text over PERMISSIVE to STRICT without a failed request", async (t) => {
  const lab = await startLab(t);
  await lab.apply([ALLOW_ALL, meshService("backend")].join("---\n"));
  const app = await application(t, "backend", (request, response) => {
    response.end(request.headers["x-forwarded-client-cert"] === undefined ? "plain" : "mtls");
  });
  await lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port });
  const web = await lab.sidecar({ name: "web-1", labels: { "kuma.io/workload": "web" }, calls: ["backend"] });
  await eventually(async () => assert.equal((await ask(web.outbound("backend"))).body, "plain"));

  const traffic = steadyTraffic(t, web.outbound("backend"), 100);
  await lab.apply(mtls("PERMISSIVE"));
  await eventually(async () => assert.equal((await ask(web.outbound("backend"))).body, "mtls"));
  await lab.apply(mtls("STRICT"));
  await lab.settled();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const tally = await traffic.stop();
  assert.deepEqual(tally.failures, []);
  assert.ok((tally.byBody.get("mtls") ?? 0) > 0);
});

test("mutual TLS: certificates are renewed under traffic without a failed request", async (t) => {
  const lab = await startLab(t);
  await lab.apply([mtls("STRICT", "4s"), ALLOW_ALL, meshService("backend")].join("---\n"));
  const app = await application(t, "backend");
  await lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port });
  const web = await lab.sidecar({ name: "web-1", labels: { "kuma.io/workload": "web" }, calls: ["backend"] });
  await eventually(async () => assert.equal((await ask(web.outbound("backend"))).status, 200));

  const issued = () => lab.controlPlane.meshes.get("default")?.proxies.get("backend-1")?.issued ?? 0;
  const before = issued();
  const traffic = steadyTraffic(t, web.outbound("backend"), 100);
  await eventually(() => assert.ok(issued() >= before + 3, "not renewed three times yet"), 20_000);
  const tally = await traffic.stop();
  assert.deepEqual(tally.failures, []);
  assert.ok(tally.total > 100, `${tally.total} requests`);
});

test("mutual TLS: a MeshIdentity gives SPIFFE IDs of its trust domain, and permissions go by them", async (t) => {
  const lab = await startLab(t);
  await lab.apply(`
type: MeshIdentity
mesh: default
name: everybody
spec:
  selector: { dataplane: { matchLabels: {} } }
  provider:
    type: Bundled
    bundled: { autogenerate: { enabled: true }, insecureAllowSelfSigned: true }
---
${meshService("backend")}`);
  await eventually(async () => {
    const trust = (await lab.get("/meshes/default/meshtrusts/everybody")) as { spec: { trustDomain: string } };
    assert.equal(trust.spec.trustDomain, "default.default.mesh.local");
  });
  const app = await application(t, "backend", (request, response) => {
    response.end(String(request.headers["x-forwarded-client-cert"] ?? "nobody"));
  });
  const labels = { app: "backend", "kuma.io/workload": "backend" };
  await lab.sidecar({ name: "backend-1", labels, servicePort: app.port });
  const web = await lab.sidecar({ name: "web-1", labels: { "kuma.io/workload": "web" }, calls: ["backend"] });
  await eventually(async () => assert.equal((await ask(web.outbound("backend"))).status, 403));

  await lab.apply(`
type: MeshTrafficPermission
mesh: default
name: web
spec:
  rules:
    - default:
        allow:
          - spiffeID: { type: Exact, value: "spiffe://default.default.mesh.local/workload/web" }
`);
  await lab.settled();
  const answer = await ask(web.outbound("backend"));
  assert.equal(answer.status, 200, answer.body);
  assert.match(answer.body, /URI=spiffe:\/\/default\.default\.mesh\.local\/workload\/web/);
});
