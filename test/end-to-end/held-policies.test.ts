import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { application } from "../support/application.ts";
import { controlPlaneProcess } from "../support/control-plane-process.ts";
import { eventually } from "../support/eventually.ts";
import { Mesh, meshService } from "../support/lab.ts";
import { ask, steadyTraffic } from "../support/traffic.ts";

// A header without a name is refused by Envoy alone.
const patch = (key: string, value: string): string => `
type: MeshProxyPatch
mesh: default
name: marked
spec:
  default:
    appendModifications:
      - virtualHost:
          operation: Patch
          match: { origin: outbound }
          value: 'responseHeadersToAdd: [{ header: { key: "${key}", value: ${value} } }]'
`;

interface Shown {
  readonly status?: {
    readonly rollOut?: { readonly state: string; readonly refusals: readonly { readonly dataplane: string }[] };
  };
}

test("a policy that one Envoy refuses is taken back within seconds, for good, and no request fails", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "heddle-test-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const controlPlane = await controlPlaneProcess(t, folder);
  const at = { apiUrl: controlPlane.apiUrl, dpPort: controlPlane.dpPort, caPem: await controlPlane.caPem() };
  const mesh = new Mesh(t, at, folder);
  await mesh.apply(meshService("backend"));
  const app = await application(t, "backend");
  await mesh.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port });
  const webs = await Promise.all(["web-1", "web-2", "web-3"].map((name) => mesh.sidecar({ name, calls: ["backend"] })));
  const marks = () => Promise.all(webs.map(async (web) => (await ask(web.outbound("backend"))).headers["x-mark"]));
  await mesh.apply(patch("x-mark", "good"));
  await eventually(async () => assert.deepEqual(await marks(), ["good", "good", "good"]));
  const [web] = webs;
  assert.ok(web);
  const traffic = steadyTraffic(t, web.outbound("backend"), 100);

  const written = performance.now();
  await mesh.apply(patch("", "bad"));
  const shown = await eventually(async () => {
    const policy = (await mesh.get("/meshes/default/meshproxypatches/marked")) as Shown;
    assert.equal(policy.status?.rollOut?.state, "Held");
    return policy;
  }, 5_000);
  await eventually(async () => assert.deepEqual(await marks(), ["good", "good", "good"]), 5_000);
  assert.ok(performance.now() - written < 5_000, "what was in force must be back within 5 s");
  assert.equal(shown.status?.rollOut?.refusals.length, 1, "one proxy of three may see it");

  // A control plane that starts anew knows it, too.
  await controlPlane.kill();
  await controlPlane.start();
  const late = await mesh.sidecar({ name: "web-4", calls: ["backend"] });
  assert.equal((await ask(late.outbound("backend"))).headers["x-mark"], "good");
  assert.deepEqual(await marks(), ["good", "good", "good"]);

  await mesh.apply(patch("x-mark", "better"));
  await eventually(async () => assert.deepEqual(await marks(), ["better", "better", "better"]), 10_000);
  const healed = (await mesh.get("/meshes/default/meshproxypatches/marked")) as Shown;
  assert.equal(healed.status?.rollOut, undefined);
  const { total, failures } = await traffic.stop();
  assert.ok(total > 100, `only ${total} requests were sent`);
  assert.deepEqual(failures, []);
});
