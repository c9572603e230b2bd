import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { test } from "node:test";
import type { RolloutProgress } from "./reports.ts";
import { SILENT_INSPECT } from "./testkit/fake-ports.ts";
import { startApi } from "./testkit/running-api.ts";

type Rollout = (revision: number, since: number, signal: AbortSignal) => AsyncIterable<RolloutProgress>;

function step(revision: number, acked: number, done: boolean): RolloutProgress {
  return { revision, proxies: { affected: 3, acked }, rejected: [], elapsedMillis: 1, done };
}

function startRollouts(rollout: Rollout) {
  return startApi({ inspect: { ...SILENT_INSPECT, rollout } });
}

function lines(text: string): readonly Record<string, unknown>[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Nothing happens until somebody gives up. */
async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

test("GET /rollouts streams a line for each step and ends with done", async () => {
  const asked: number[] = [];
  await using api = await startRollouts(async function* (revision, since) {
    asked.push(revision, since);
    yield step(revision, 0, false);
    yield step(revision, 3, true);
  });
  const reply = await api.call("GET", "/rollouts/42?since=40");
  assert.match(String(reply.headers["content-type"]), /^application\/x-ndjson/);
  assert.deepEqual(lines(reply.text), [step(42, 0, false), step(42, 3, true)]);
  await api.call("GET", "/rollouts/42");
  assert.deepEqual(asked, [42, 40, 42, 41]);
});

test("GET /rollouts says timedOut when the time is over, whether the port returns or throws", async () => {
  for (const throws of [false, true]) {
    await using api = await startRollouts(async function* (revision, _since, signal) {
      yield step(revision, 2, false);
      await untilAborted(signal);
      if (throws) throw signal.reason;
    });
    const reply = await api.call("GET", "/rollouts/7?timeout=50ms");
    const [first, last] = lines(reply.text);
    assert.deepEqual(first, step(7, 2, false));
    const { elapsedMillis, ...rest } = last ?? {};
    assert.deepEqual(rest, {
      revision: 7,
      proxies: { affected: 3, acked: 2 },
      rejected: [],
      done: false,
      timedOut: true,
    });
    assert.ok(Number(elapsedMillis) >= 40);
  }
});

test("GET /rollouts stops the engine's work when the caller leaves", async () => {
  const left = Promise.withResolvers<void>();
  await using api = await startRollouts(async function* (revision, _since, signal) {
    yield step(revision, 0, false);
    await untilAborted(signal);
    left.resolve();
  });
  const call = request(`${api.url}/rollouts/7?timeout=10m`).end();
  const [response] = await once(call, "response");
  await once(response, "data");
  call.destroy();
  await left.promise;
});

test("close() ends rollouts that are being followed", async () => {
  const followed = Promise.withResolvers<void>();
  const api = await startRollouts(async function* (revision, _since, signal) {
    yield step(revision, 0, false);
    followed.resolve();
    await untilAborted(signal);
  });
  const following = api.call("GET", "/rollouts/7?timeout=10m");
  await followed.promise;
  await api[Symbol.asyncDispose]();
  assert.equal(lines((await following).text).at(-1)?.["timedOut"], true);
});

for (const path of ["/rollouts/latest", "/rollouts/7?since=x", "/rollouts/7?timeout=long", "/rollouts/-1"]) {
  test(`GET ${path} is refused`, async () => {
    await using api = await startApi();
    assert.equal((await api.call("GET", path)).status, 400);
  });
}
