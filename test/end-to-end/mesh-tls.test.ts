import assert from "node:assert/strict";
import { test } from "node:test";
import { stringify } from "yaml";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { ALLOW_ALL, meshService, mtls, startLab } from "../support/lab.ts";
import { ask, steadyTraffic } from "../support/traffic.ts";

const meshTls = (conf: object, targetRef?: object): string =>
  stringify({ type: "MeshTLS", mesh: "default", name: "tls", spec: { targetRef, rules: [{ default: conf }] } });

test("MeshTLS: one proxy takes plain text for a while; modes and versions change without a failed request", async (t) => {
  const lab = await startLab(t);
  await lab.apply([mtls(), ALLOW_ALL, meshService("backend")].join("---\n"));
  const app = await application(t, "backend");
  const open = await lab.sidecar({
    name: "backend-1",
    labels: { app: "backend", instance: "1" },
    servicePort: app.port,
  });
  const closed = await lab.sidecar({
    name: "backend-2",
    labels: { app: "backend", instance: "2" },
    servicePort: app.port,
  });
  const web = await lab.sidecar({ name: "web-1", labels: { "kuma.io/workload": "web" }, calls: ["backend"] });
  const plain = async ({ inboundPort }: { inboundPort: number }): Promise<number> =>
    (await ask(`http://127.0.0.1:${inboundPort}`)).status;
  await eventually(async () => assert.equal((await ask(web.outbound("backend"))).status, 200));
  assert.deepEqual([await plain(open), await plain(closed)], [0, 0]);
  const traffic = steadyTraffic(t, web.outbound("backend"), 50);

  const onlyOne = { kind: "Dataplane", labels: { instance: "1" } };
  await lab.apply(meshTls({ mode: "Permissive" }, onlyOne));
  await eventually(async () => assert.equal(await plain(open), 200));
  assert.equal(await plain(closed), 0, "the policy means one proxy only");
  const access = (await lab.get("/meshes/default/dataplanes/backend-1/_access?from=web-1")) as object;
  assert.match(JSON.stringify(access), /"allow"/);

  await lab.apply(meshTls({ mode: "Strict" }, onlyOne));
  await eventually(async () => assert.equal(await plain(open), 0));

  for (const tlsVersion of [{ min: "TLS12" }, { min: "TLS12", max: "TLS12" }, { min: "TLS12" }, {}]) {
    await lab.apply(meshTls({ tlsVersion }));
    await lab.settled();
  }
  await lab.delete("MeshTLS", "tls");
  await lab.settled();
  assert.deepEqual((await traffic.stop()).failures, []);
});
