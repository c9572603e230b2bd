import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Counters } from "@heddle/control-plane/rate-limit/counters.ts";
import { redisCounters } from "@heddle/control-plane/rate-limit/redis-counters.ts";
import { assertCounterLaw } from "@heddle/control-plane/rate-limit/testkit/counter-laws.ts";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { type Lab, type Sidecar, startLab } from "../support/lab.ts";
import { longInterval } from "../support/long-interval.ts";
import { startRedis } from "../support/redis.ts";
import { askAnew } from "../support/traffic.ts";

async function open(
  t: TestContext,
  url: string,
  now: () => number = Date.now,
): Promise<Counters & { states: boolean[] }> {
  const states: boolean[] = [];
  const counters = await redisCounters({ url, now, onState: ({ isUp }) => states.push(isUp) });
  t.after(() => counters[Symbol.asyncDispose]());
  return {
    states,
    count: (counts) => counters.count(counts),
    get isUp() {
      return counters.isUp;
    },
    [Symbol.asyncDispose]: () => counters[Symbol.asyncDispose](),
  };
}

const one = { key: "k", hits: 1, intervalMillis: 60_000 };

for (const kind of ["redis", "valkey"] as const) {
  test(`redisCounters() of two control planes never let more through than the limit, counting in ${kind}`, async (t) => {
    const { url } = await startRedis(t, kind);
    let now = (): number => 0;
    const both = await Promise.all([open(t, url, () => now()), open(t, url, () => now())]);
    await eventually(() =>
      assert.deepEqual(
        both.map(({ isUp }) => isUp),
        [true, true],
      ),
    );
    await assertCounterLaw((clock) => {
      now = clock;
      return both;
    }, 30);
  });

  test(`redisCounters() fail without waiting while ${kind} is away, and count again when it is back`, async (t) => {
    const server = await startRedis(t, kind);
    const counters = await open(t, server.url);
    await eventually(() => assert.ok(counters.isUp));
    assert.deepEqual(await counters.count([one]), [1]);
    await server.kill();
    await eventually(() => assert.equal(counters.isUp, false));
    const started = performance.now();
    await assert.rejects(async () => await counters.count([one]), { name: "RateLimitFailure", code: "unavailable" });
    assert.ok(performance.now() - started < 100, "it waited for an answer that cannot come");
    await server.restart();
    await eventually(() => assert.ok(counters.isUp), 10_000);
    assert.deepEqual(await counters.count([one]), [1]);
    assert.deepEqual(counters.states, [true, false, true]);
  });
}

test("redisCounters() notice a Redis that hangs", async (t) => {
  const server = await startRedis(t, "valkey");
  const counters = await open(t, server.url);
  await eventually(() => assert.ok(counters.isUp));
  server.freeze(true);
  await assert.rejects(async () => await counters.count([one]), { code: "unavailable" });
  assert.equal(counters.isUp, false);
  server.freeze(false);
  await eventually(() => assert.ok(counters.isUp), 10_000);
});

test("MeshGlobalRateLimit over two control planes that count in one Valkey", async (t) => {
  const server = await startRedis(t, "valkey");
  const labs = [
    await startLab(t, { rateLimitRedisUrl: server.url }),
    await startLab(t, { rateLimitRedisUrl: server.url }),
  ];
  const policy = JSON.stringify({
    type: "MeshGlobalRateLimit",
    name: "limit",
    spec: {
      rules: [
        {
          default: {
            http: { requestRate: { num: 10, interval: longInterval() } },
            backend: { rateLimitService: { limitOnServiceFail: true } },
          },
        },
      ],
    },
  });
  const sidecars = await Promise.all(
    labs.map(async (lab, index) => {
      await lab.apply(policy);
      const { port } = await application(t, "backend");
      const labels = { "kuma.io/workload": "backend" };
      return await lab.sidecar({ name: `backend-${index}`, labels, servicePort: port });
    }),
  );
  await Promise.all(labs.map((lab) => lab.settled()));
  await t.test("of 30 requests to the instances of both, exactly 10 pass", async () => {
    assert.deepEqual(await tally(sidecars, 30), { 200: 10, 429: 20 });
  });
  await t.test("nobody passes while it is away, and 10 when it is back, with nothing in it", async () => {
    await server.kill();
    assert.deepEqual(await tally(sidecars, 10), { 429: 10 });
    for (const lab of labs) assert.match(await metrics(lab), /^rate_limit_backend_up 0$/m);
    await server.restart();
    await eventually(async () => {
      for (const lab of labs) assert.match(await metrics(lab), /^rate_limit_backend_up 1$/m);
    }, 10_000);
    assert.deepEqual(await tally(sidecars, 30), { 200: 10, 429: 20 });
  });
});

async function tally(sidecars: readonly Sidecar[], count: number): Promise<Record<string, number>> {
  const urls = Array.from({ length: count }, (_, index) => sidecars[index % sidecars.length]?.inboundPort);
  const answers = await Promise.all(urls.map((port) => askAnew(`http://127.0.0.1:${port}/`)));
  const groups = Map.groupBy(answers, ({ status }) => status);
  return Object.fromEntries([...groups].map(([status, of]) => [status, of.length]));
}

async function metrics({ controlPlane }: Lab): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${controlPlane.diagnosticsPort}/metrics`)).text();
}
