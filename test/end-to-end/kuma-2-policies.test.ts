import assert from "node:assert/strict";
import { test } from "node:test";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { mtls, startLab } from "../support/lab.ts";
import { ask } from "../support/traffic.ts";

// As users of Kuma 2.x have it in their repositories.
const PERMISSION = `
type: TrafficPermission
mesh: default
name: web-to-backend
sources:
  - match: { kuma.io/service: web }
destinations:
  - match: { kuma.io/service: backend }
`;
const ROUTE = `
type: TrafficRoute
mesh: default
name: canary
sources:
  - match: { kuma.io/service: web }
destinations:
  - match: { kuma.io/service: backend }
conf:
  split:
    - weight: 90
      destination: { kuma.io/service: backend, version: v1 }
    - weight: 10
      destination: { kuma.io/service: backend, version: v2 }
`;
const TIMEOUT = `
type: Timeout
mesh: default
name: quick
sources:
  - match: { kuma.io/service: "*" }
destinations:
  - match: { kuma.io/service: backend }
conf:
  connectTimeout: 1s
  http: { requestTimeout: 300ms }
`;

test("TrafficPermission, TrafficRoute and Timeout of Kuma 2.x on real traffic", async (t) => {
  const lab = await startLab(t);
  await lab.apply(mtls());
  const instance = async (version: string) => {
    const app = await application(t, version, (request, response) => {
      setTimeout(() => response.end(version), request.url?.startsWith("/slow") ? 2_000 : 0);
    });
    const tags = { "kuma.io/service": "backend", "kuma.io/protocol": "http", version };
    return await lab.sidecar({ name: `backend-${version}`, tags, servicePort: app.port });
  };
  const caller = async (service: string) => {
    const app = await application(t, service);
    const tags = { "kuma.io/service": service, "kuma.io/protocol": "http" };
    const calls = { calls: ["backend"], callsByTag: true };
    return await lab.sidecar({ name: `${service}-1`, tags, servicePort: app.port, ...calls });
  };
  const [one, other] = await Promise.all([caller("web"), caller("stranger"), instance("v1"), instance("v2")]);
  const [web, stranger] = [one.outbound("backend"), other.outbound("backend")];

  await t.test("whom a TrafficPermission names gets in, and nobody else", async () => {
    await lab.settled();
    assert.equal((await ask(web)).status, 403);
    await lab.apply(PERMISSION);
    await lab.settled();
    await eventually(async () => assert.equal((await ask(web)).status, 200));
    assert.equal((await ask(stranger)).status, 403);
  });

  await t.test("the split of a TrafficRoute stays within four standard deviations", async () => {
    await lab.apply(ROUTE);
    await lab.settled();
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => ask(web)));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    // Binomial, n = 1000, p = 0.1: mean 100, standard deviation 9.5.
    const second = answers.filter(({ body }) => body === "v2").length;
    assert.ok(second >= 62 && second <= 138, `${second} of 1000 requests went to v2`);
  });

  await t.test("a Timeout cuts a slow answer off until it is deleted", async () => {
    await lab.apply(TIMEOUT);
    await lab.settled();
    await eventually(async () => assert.equal((await ask(`${web}/slow`)).status, 504));
    assert.equal((await ask(web)).status, 200);
    await lab.delete("Timeout", "quick");
    await lab.settled();
    await eventually(async () => assert.equal((await ask(`${web}/slow`)).status, 200));
  });

  await t.test("inspection names what was written", async () => {
    const { rules } = (await lab.get("/meshes/default/dataplanes/web-1/_rules")) as {
      rules: { type: string; toRules?: { origin: { type: string; name: string }[] }[] }[];
    };
    const route = rules.find(({ type }) => type === "MeshTCPRoute")?.toRules?.[0]?.origin[0];
    assert.deepEqual([route?.type, route?.name], ["TrafficRoute", "canary"]);
    const matched = (await lab.get("/meshes/default/traffic-permissions/web-to-backend/_resources/dataplanes")) as {
      items: { name: string }[];
    };
    assert.deepEqual(
      matched.items.map(({ name }) => name),
      ["backend-v1", "backend-v2"],
    );
    const access = (await lab.get("/meshes/default/dataplanes/backend-v1/_access?from=stranger-1")) as {
      inbounds: { decision: string; reason: string; fix?: string }[];
    };
    const [{ decision, reason, fix } = assert.fail("no inbound")] = access.inbounds;
    assert.equal(decision, "deny");
    assert.match(reason, /^TrafficPermission "web-to-backend" forbids spiffe:\/\/default\/stranger to call/);
    assert.equal(fix, 'add spiffe://default/stranger to the sources of TrafficPermission "web-to-backend"');
  });
});
