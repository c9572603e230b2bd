import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { type Lab, meshService, mtls, type Sidecar, startLab } from "../support/lab.ts";
import { ask, steadyTraffic } from "../support/traffic.ts";

const DOMAIN = "default.default.mesh.local";
const OLD = { web: "spiffe://default/web", backend: "spiffe://default/backend" };
const NEW = { web: `spiffe://${DOMAIN}/workload/web`, backend: `spiffe://${DOMAIN}/workload/backend` };

/** Names the caller in either form. */
const ALLOW_WEB = `
type: MeshTrafficPermission
mesh: default
name: web
spec:
  rules:
    - default:
        allow:
          - spiffeID: { type: Exact, value: "${OLD.web}" }
          - spiffeID: { type: Exact, value: "${NEW.web}" }
`;

const identity = (matchLabels: object): string => `
type: MeshIdentity
mesh: default
name: everybody
spec:
  selector: { dataplane: { matchLabels: ${JSON.stringify(matchLabels)} } }
  provider:
    type: Bundled
    bundled: { autogenerate: { enabled: true }, insecureAllowSelfSigned: true }
`;

const NO_MTLS = "type: Mesh\nname: default\n";

/** Who met whom, as the server's proxy tells its application: "server < client". */
async function meeting(web: Sidecar): Promise<string> {
  const { body } = await ask(web.outbound("backend"));
  return `${/By=([^;]*)/.exec(body)?.[1]} < ${/URI=([^;,]*)/.exec(body)?.[1]}`;
}

async function meet(web: Sidecar, server: string, client: string): Promise<void> {
  await eventually(async () => assert.equal(await meeting(web), `${server} < ${client}`));
}

async function startPair(t: TestContext): Promise<{ lab: Lab; web: Sidecar }> {
  const lab = await startLab(t);
  await lab.apply([mtls(), ALLOW_WEB, meshService("backend")].join("---\n"));
  const app = await application(t, "backend", (request, response) => {
    response.end(String(request.headers["x-forwarded-client-cert"] ?? "nobody"));
  });
  const labels = { app: "backend", "kuma.io/workload": "backend" };
  await lab.sidecar({ name: "backend-1", labels, servicePort: app.port });
  const web = await lab.sidecar({ name: "web-1", labels: { "kuma.io/workload": "web" }, calls: ["backend"] });
  await meet(web, OLD.backend, OLD.web);
  return { lab, web };
}

test("mesh identity: from Mesh.mtls proxy by proxy, without it, and back, with no failed request", async (t) => {
  const { lab, web } = await startPair(t);
  const traffic = steadyTraffic(t, web.outbound("backend"), 200);

  for (let round = 0; round < 4; round += 1) {
    await lab.apply(identity({ "kuma.io/workload": "backend" }));
    await meet(web, NEW.backend, OLD.web);
    await lab.apply(identity({}));
    await meet(web, NEW.backend, NEW.web);
    await lab.apply(NO_MTLS);
    await lab.settled();
    await meet(web, NEW.backend, NEW.web);

    await lab.apply(mtls());
    await lab.settled();
    await lab.apply(identity({ "kuma.io/workload": "web" }));
    await meet(web, OLD.backend, NEW.web);
    await lab.delete("MeshIdentity", "everybody");
    await meet(web, OLD.backend, OLD.web);
    await lab.delete("MeshTrust", "everybody");
    await lab.settled();
    await meet(web, OLD.backend, OLD.web);
  }
  const tally = await traffic.stop();
  assert.deepEqual(tally.failures, []);
  assert.ok(tally.total > 200, `${tally.total} requests`);
});

test("mesh identity: all proxies move at once with no failed request", async (t) => {
  const { lab, web } = await startPair(t);
  const traffic = steadyTraffic(t, web.outbound("backend"), 200);
  for (let round = 0; round < 3; round += 1) {
    await lab.apply(identity({}));
    await meet(web, NEW.backend, NEW.web);
    await lab.delete("MeshIdentity", "everybody");
    await meet(web, OLD.backend, OLD.web);
  }
  const tally = await traffic.stop();
  assert.deepEqual(tally.failures, []);
  assert.ok(tally.total > 50, `${tally.total} requests`);
});
