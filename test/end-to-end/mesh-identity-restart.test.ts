import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { stringify } from "yaml";
import { application } from "../support/application.ts";
import { ControlPlaneProcess } from "../support/control-plane-process.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { Mesh, meshService, mtls } from "../support/lab.ts";
import { ask, steadyTraffic } from "../support/traffic.ts";

const DOMAIN = "default.default.mesh.local";
const ALLOW_WEB = stringify({
  type: "MeshTrafficPermission",
  mesh: "default",
  name: "web",
  spec: {
    rules: [
      {
        default: {
          allow: ["spiffe://default/web", `spiffe://${DOMAIN}/workload/web`].map((value) => ({
            spiffeID: { type: "Exact", value },
          })),
        },
      },
    ],
  },
});

const identity = (matchLabels: object): string =>
  stringify({
    type: "MeshIdentity",
    mesh: "default",
    name: "everybody",
    spec: {
      selector: { dataplane: { matchLabels } },
      provider: { type: "Bundled", bundled: { autogenerate: { enabled: true }, insecureAllowSelfSigned: true } },
    },
  });

test("mesh identity: a control plane killed in the middle of a move, there and back, costs no request", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "heddle-moves-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const controlPlane = new ControlPlaneProcess(folder, await freePorts(3));
  t.after(() => controlPlane.kill());
  await controlPlane.start();
  const { apiUrl, dpPort } = controlPlane;
  const mesh = new Mesh(t, { apiUrl, dpPort, caPem: await controlPlane.caPem() }, folder);
  await mesh.apply([mtls(), ALLOW_WEB, meshService("backend")].join("---\n"));
  const app = await application(t, "backend", ({ headers }, response) => {
    response.end(String(headers["x-forwarded-client-cert"] ?? "nobody"));
  });
  const labels = { app: "backend", "kuma.io/workload": "backend" };
  await mesh.sidecar({ name: "backend-1", labels, servicePort: app.port });
  const web = await mesh.sidecar({ name: "web-1", labels: { "kuma.io/workload": "web" }, calls: ["backend"] });
  const url = web.outbound("backend");
  const meet = async (server: string, client: string): Promise<void> => {
    await eventually(async () => {
      const { body } = await ask(url);
      assert.equal(`${/By=([^;]*)/.exec(body)?.[1]} < ${/URI=([^;,]*)/.exec(body)?.[1]}`, `${server} < ${client}`);
    }, 20_000);
  };
  const OLD = ["spiffe://default/backend", "spiffe://default/web"] as const;
  const NEW = [`spiffe://${DOMAIN}/workload/backend`, `spiffe://${DOMAIN}/workload/web`] as const;
  const restart = async (): Promise<void> => {
    await controlPlane.kill();
    await controlPlane.start();
  };
  await meet(...OLD);
  const traffic = steadyTraffic(t, url, 100);

  // Written, and killed before anybody can have acknowledged it.
  await mesh.apply(identity({ "kuma.io/workload": "backend" }));
  await restart();
  await meet(NEW[0], OLD[1]);
  // Half of the proxies have moved, the other half is about to.
  await mesh.apply(identity({}));
  await restart();
  await meet(...NEW);
  await mesh.apply("type: Mesh\nname: default\n");
  await restart();
  await meet(...NEW);
  await mesh.apply(mtls());
  await mesh.apply(identity({ "kuma.io/workload": "nobody" }));
  await restart();
  await meet(...OLD);

  const tally = await traffic.stop();
  assert.deepEqual(tally.failures, []);
  assert.ok(tally.total > 300, `${tally.total} requests`);
});
