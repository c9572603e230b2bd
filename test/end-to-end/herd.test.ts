import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { FakeProxy } from "@heddle/xds/fake.ts";
import { followEnvoy } from "@heddle/xds/fake-follow.ts";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { ALLOW_ALL, meshService, mtls, startLab } from "../support/lab.ts";

const PROXIES = 100;

test("fault: a hundred proxies return at once, get nothing they have, and a newcomer does not wait", async (t) => {
  const lab = await startLab(t, { deregistrationDelay: "30s" });
  await lab.apply([mtls(), ALLOW_ALL, meshService("backend")].join("---\n"));
  // Somebody must answer at the proxies' address, or they count as dead the moment their streams end.
  const door = await application(t, "door");
  const start = async (name: string): Promise<FakeProxy> => {
    const dataplane = {
      type: "Dataplane",
      mesh: "default",
      name,
      labels: { app: "backend", "kuma.io/workload": "backend" },
      networking: {
        address: "127.0.0.1",
        inbound: [{ port: door.port, servicePort: 8_080, name: "main", protocol: "http" }],
        outbound: [{ port: 16_080, backendRef: { kind: "MeshService", name: "backend", port: 80 } }],
      },
    };
    const metadata = { "dataplane.resource": JSON.stringify(dataplane) };
    const { dpPort: port, caPem: ca } = lab.controlPlane;
    const node = { id: `default.${name}`, metadata };
    const proxy = new FakeProxy({ port, ca, node, token: await lab.token(name), follow: followEnvoy });
    t.after(() => proxy.disconnect());
    await proxy.connect();
    return proxy;
  };
  const herd = await Promise.all(Array.from({ length: PROXIES }, (_, index) => start(`backend-${index}`)));
  await lab.settled();
  for (const proxy of herd) proxy.disconnect();
  await sleep(100);

  const before = herd.map(({ counts }) => counts.resources);
  const returned = performance.now();
  const all = Promise.all(herd.map((proxy) => proxy.connect()));
  const newcomer = await start("newcomer");
  await eventually(() => assert.ok(newcomer.counts.resources > 0, "the newcomer has nothing yet"));
  const newcomerWaited = performance.now() - returned;
  await all;
  await lab.settled();
  const settled = performance.now() - returned;

  // The newcomer is an instance of the service that all of them call, so the endpoints may have moved; nothing else.
  const sent = herd.map(({ counts }, index) => counts.resources - (before[index] ?? 0));
  t.diagnostic(`settled after ${settled.toFixed(0)} ms, the newcomer was served after ${newcomerWaited.toFixed(0)} ms`);
  assert.ok(Math.max(...sent) <= 2, `a returning proxy was sent ${Math.max(...sent)} resources`);
  assert.ok(settled < 20_000 && newcomerWaited < 5_000);
});
