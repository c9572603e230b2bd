import assert from "node:assert/strict";
import { test } from "node:test";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { ALLOW_ALL, meshService, mtls, startLab } from "../support/lab.ts";
import { ask } from "../support/traffic.ts";

const NEAR_FIRST = `
type: MeshLoadBalancingStrategy
mesh: default
name: near-first
spec:
  to:
    - targetRef: { kind: MeshService, name: api }
      default: { localityAwareness: { localZone: { affinityTags: [{ key: node, weight: 9 }] } } }
`;

test("callers on different nodes get most of their answers from their own, until nobody is left there", async (t) => {
  const lab = await startLab(t);
  await lab.apply([mtls(), ALLOW_ALL, meshService("api", { labels: { app: "api" } }), NEAR_FIRST].join("---\n"));
  const instances = new Map<string, Awaited<ReturnType<typeof lab.sidecar>>>();
  for (const node of ["n1", "n2"]) {
    const { port } = await application(t, node);
    const labels = { app: "api", node, "kuma.io/workload": "api" };
    instances.set(node, await lab.sidecar({ name: `api-${node}`, labels, servicePort: port }));
  }
  const callers = new Map<string, string>();
  for (const node of ["n1", "n3"]) {
    const labels = { node, "kuma.io/workload": "web" };
    const web = await lab.sidecar({ name: `web-${node}`, labels, calls: ["api"] });
    callers.set(node, web.outbound("api"));
    await eventually(async () => assert.equal((await ask(web.outbound("api"))).status, 200));
  }
  await lab.settled();
  const shareOf = async (caller: string, instance: string): Promise<number> => {
    const url = callers.get(caller) ?? "";
    const answers = await Promise.all(Array.from({ length: 400 }, () => ask(url)));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    return answers.filter(({ body }) => body === instance).length / 400;
  };
  // Binomial, n = 400, p = 0.9: standard deviation 0.015; for p = 0.5 it is 0.025.
  assert.ok(Math.abs((await shareOf("n1", "n1")) - 0.9) < 0.08);
  assert.ok(Math.abs((await shareOf("n3", "n1")) - 0.5) < 0.13);

  const before = lab.controlPlane.meshes.get("default")?.proxies.get("web-n1")?.compiled;
  await instances.get("n1")?.stop();
  await lab.settled();
  assert.equal(await shareOf("n1", "n2"), 1);
  assert.equal(
    lab.controlPlane.meshes.get("default")?.proxies.get("web-n1")?.compiled,
    before,
    "it was compiled again",
  );
});
