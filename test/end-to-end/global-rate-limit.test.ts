import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { type Lab, meshService, type Sidecar, startLab } from "../support/lab.ts";
import { longInterval } from "../support/long-interval.ts";
import { type Answer, askAnew } from "../support/traffic.ts";

async function backend(t: TestContext, lab: Lab, name: string, app: string): Promise<Sidecar> {
  const { port } = await application(t, name);
  return await lab.sidecar({ name, labels: { app }, servicePort: port });
}

const url = ({ inboundPort }: Sidecar): string => `http://127.0.0.1:${inboundPort}/`;

/** So many requests at once, spread over instances. */
async function burst(count: number, instances: readonly Sidecar[], headers = {}): Promise<readonly Answer[]> {
  const urls = Array.from({ length: count }, (_, index) => url(instances[index % instances.length] as Sidecar));
  return await Promise.all(urls.map((each) => askAnew(each, { headers })));
}

function statuses(answers: readonly Answer[]): Record<string, number> {
  return Object.fromEntries(
    [...Map.groupBy(answers, ({ status }) => status)].map(([status, of]) => [status, of.length]),
  );
}

function policy(app: string, conf: object, name = app): string {
  const rules = [{ default: conf }];
  return JSON.stringify({
    type: "MeshGlobalRateLimit",
    name,
    spec: { targetRef: { kind: "Dataplane", labels: { app } }, rules },
  });
}

test("MeshGlobalRateLimit limits what all instances of a service take in together", async (t) => {
  const lab = await startLab(t);
  await lab.apply(meshService("backend"));
  const [one, two, other] = await Promise.all([
    backend(t, lab, "backend-1", "backend"),
    backend(t, lab, "backend-2", "backend"),
    backend(t, lab, "other-1", "other"),
  ]);
  const both = [one, two];
  const interval = longInterval();
  const limited = (num: number, more: object = {}): string =>
    policy("backend", {
      http: {
        requestRate: { num, interval },
        onRateLimit: { status: 423, headers: { set: [{ name: "x-kuma-rate-limited", value: "true" }] } },
      },
      ...more,
    });
  await lab.apply(limited(10));
  await lab.settled();
  // Envoy acknowledges a listener before it has taken the place of the one before.
  await eventually(async () => {
    for (const each of both) assert.match(await listenersOf(lab, each), /envoy.filters.http.ratelimit/);
  });

  await t.test("of 30 requests at once to two instances, exactly 10 pass", async () => {
    const answers = await burst(30, both);
    assert.deepEqual(statuses(answers), { 200: 10, 423: 20 });
    const refused = answers.find(({ status }) => status === 423);
    assert.equal(refused?.headers["x-kuma-rate-limited"], "true");
    assert.equal(answers.find(({ status }) => status === 200)?.headers["x-kuma-rate-limited"], undefined);
  });

  await t.test("a limit that is raised goes on with its count, without a word to Envoy", async () => {
    const published = () =>
      [...(lab.controlPlane.meshes.get("default")?.proxies.values() ?? [])].map((each) => each.published);
    const before = published();
    await lab.apply(limited(40));
    await lab.settled();
    assert.deepEqual(statuses(await burst(20, both)), { 200: 10, 423: 10 });
    assert.deepEqual(published(), before);
  });

  await t.test("another service is not limited by it", async () => {
    assert.deepEqual(statuses(await burst(20, [other])), { 200: 20 });
  });

  await t.test("mode Shadow counts and refuses nothing", async () => {
    await lab.apply(limited(1, { mode: "Shadow" }));
    await lab.settled();
    const before = await decisions(lab, "shadow");
    assert.deepEqual(statuses(await burst(20, both)), { 200: 20 });
    assert.equal(await decisions(lab, "shadow"), before + 20);
  });

  await t.test("a limit for a header means the requests that have it", async () => {
    const limits = [{ value: "free", requestRate: { num: 3, interval } }];
    const http = { ratelimitOnRequest: [{ kind: "OnHeader", name: "x-plan", limits }] };
    await lab.apply(policy("other", { http }));
    await lab.settled();
    await eventually(async () => assert.match(await listenersOf(lab, other), /x-plan/));
    assert.deepEqual(statuses(await burst(10, [other], { "x-plan": "free" })), { 200: 3, 429: 7 });
    assert.deepEqual(statuses(await burst(10, [other], { "x-plan": "paid" })), { 200: 10 });
    assert.deepEqual(statuses(await burst(10, [other])), { 200: 10 });
  });

  await t.test("without the policy nothing is limited", async () => {
    await lab.delete("MeshGlobalRateLimit", "backend");
    await lab.settled();
    await eventually(async () => assert.deepEqual(statuses(await burst(1, [one])), { 200: 1 }));
    assert.deepEqual(statuses(await burst(20, both)), { 200: 20 });
  });
});

test("MeshGlobalRateLimit does as limitOnServiceFail says when nobody counts", async (t) => {
  const lab = await startLab(t);
  const [open, closed] = await Promise.all([backend(t, lab, "open-1", "open"), backend(t, lab, "closed-1", "closed")]);
  const http = { requestRate: { num: 2, interval: longInterval() } };
  await lab.apply(policy("open", { http }));
  await lab.apply(policy("closed", { http, backend: { rateLimitService: { limitOnServiceFail: true } } }));
  await lab.settled();
  for (const each of [open, closed]) {
    await eventually(async () => assert.match(await listenersOf(lab, each), /envoy.filters.http.ratelimit/));
    assert.deepEqual(statuses(await burst(4, [each])), { 200: 2, 429: 2 });
  }
  await lab.controlPlane[Symbol.asyncDispose]();
  assert.deepEqual(statuses(await burst(10, [open])), { 200: 10 });
  assert.deepEqual(statuses(await burst(10, [closed])), { 429: 10 });
});

/** What Envoy has, from its own mouth. */
async function listenersOf(lab: Lab, { name }: Sidecar): Promise<string> {
  const response = await fetch(`${lab.at.apiUrl}/meshes/default/dataplanes/${name}/xds`);
  assert.ok(response.ok, await response.clone().text());
  const { configs } = (await response.json()) as { configs: readonly { readonly "@type": string }[] };
  return JSON.stringify(configs.filter((each) => each["@type"].endsWith("ListenersConfigDump")));
}

async function decisions(lab: Lab, decision: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${lab.controlPlane.diagnosticsPort}/metrics`)).text();
  const line = new RegExp(`^rate_limit_decisions_total\\{decision="${decision}"\\} (\\d+)$`, "m").exec(text);
  return Number(line?.[1]);
}
