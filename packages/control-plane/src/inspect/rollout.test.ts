import assert from "node:assert/strict";
import { test } from "node:test";
import type { RolloutProgress } from "@heddle/api/reports.ts";
import type { ResourceSet } from "@heddle/xds/resource.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import type { Proxy } from "../mesh/proxy.ts";
import { Lab } from "./testkit/lab.ts";
import { TAGGED } from "./testkit/meshes.ts";

const permission = `
type: MeshTrafficPermission
mesh: default
name: all
spec: { from: [{ targetRef: { kind: Mesh }, default: { action: Allow } }] }
`;

const webTimeout = `
type: MeshTimeout
mesh: default
name: slow
spec:
  targetRef: { kind: MeshSubset, tags: { kuma.io/service: web } }
  to: [{ targetRef: { kind: Mesh }, default: { http: { requestTimeout: 5s } } }]
`;

/** Proxies that acknowledge only when told to. */
class Slow {
  readonly #waiting: (() => void)[] = [];

  readonly push = (proxy: Proxy, set: ResourceSet): void => {
    this.#waiting.push(() => proxy.synced(set));
  };

  async isAsked({ progress }: Lab): Promise<void> {
    while (this.#waiting.length === 0) await progress.wait(AbortSignal.timeout(2_000));
  }

  acknowledge(lab: Lab): void {
    for (const acknowledge of this.#waiting.splice(0)) acknowledge();
    lab.progress.notify();
  }
}

/** Reads a roll-out step by step, each within two seconds. */
function follow(lab: Lab, revision: number, since: number): AsyncIterator<RolloutProgress> {
  return lab.inspect.rollout(revision, since, AbortSignal.timeout(2_000))[Symbol.asyncIterator]();
}

async function next(
  steps: AsyncIterator<RolloutProgress>,
): Promise<Omit<RolloutProgress, "elapsedMillis"> | undefined> {
  const { done, value } = await steps.next();
  if (done === true) return undefined;
  const { elapsedMillis, ...rest } = value as RolloutProgress;
  assert.ok(elapsedMillis >= 0 && elapsedMillis < 2_000);
  return rest;
}

async function last(lab: Lab, revision: number, since: number): Promise<RolloutProgress | undefined> {
  let found: RolloutProgress | undefined;
  for await (const step of lab.inspect.rollout(revision, since, AbortSignal.timeout(2_000))) found = step;
  return found;
}

test("rollout() counts the proxies that a change concerns as they acknowledge it, and ends", async () => {
  await using lab = new Lab();
  const since = await lab.write(TAGGED);
  const [slow, slower] = [new Slow(), new Slow()];
  await lab.connect("default", "backend-1", slow.push);
  await lab.connect("default", "web-1", slower.push);
  slow.acknowledge(lab);
  slower.acknowledge(lab);
  const before = await lab.store.revision();
  assert.ok(before >= since);
  const revision = await lab.write(permission);
  await lab.settle();
  const steps = follow(lab, revision, before);
  const state = { revision, rejected: [] };
  assert.deepEqual(await next(steps), { ...state, proxies: { affected: 2, acked: 0 }, done: false });
  slow.acknowledge(lab);
  assert.deepEqual(await next(steps), { ...state, proxies: { affected: 2, acked: 1 }, done: false });
  slower.acknowledge(lab);
  assert.deepEqual(await next(steps), { ...state, proxies: { affected: 2, acked: 2 }, done: true });
  assert.equal(await next(steps), undefined);
});

test("rollout() leaves out who does not need the change", async () => {
  await using lab = new Lab();
  await lab.write(TAGGED);
  await lab.connect("default", "backend-1");
  await lab.connect("default", "web-1");
  const before = await lab.store.revision();
  const end = await last(lab, await lab.write(webTimeout), before);
  assert.deepEqual([end?.proxies, end?.done], [{ affected: 1, acked: 1 }, true]);
});

test("rollout() is done at once when nobody is concerned, but not before the change was taken over", async () => {
  await using lab = new Lab();
  const before = await lab.write(TAGGED);
  const steps = follow(lab, before + 1, before);
  assert.equal((await next(steps))?.done, false);
  await lab.write(permission);
  assert.deepEqual(await next(steps), {
    revision: before + 1,
    rejected: [],
    done: true,
    proxies: { affected: 0, acked: 0 },
  });
});

test("rollout() reports what Envoy refuses with its words, and is done when the rest is acknowledged", async () => {
  await using lab = new Lab();
  await lab.write(TAGGED);
  const web = await lab.connect("default", "web-1");
  const before = await lab.store.revision();
  const refusal = { typeUrl: TYPE_URL.route, resources: ["backend"], detail: "bad timeout", origins: ["kri_mt_a"] };
  web.attach((set) => {
    web.refuse(`${TYPE_URL.route} backend`, { ...refusal, time: new Date().toISOString() });
    web.synced(set);
    lab.progress.notify();
  });
  web.rejections.clear();
  const end = await last(lab, await lab.write(webTimeout), before);
  assert.deepEqual(end?.rejected, [{ mesh: "default", name: "web-1", ...refusal }]);
  assert.deepEqual([end?.proxies, end?.done], [{ affected: 1, acked: 0 }, true]);

  web.attach((set) => {
    web.synced(set);
    lab.progress.notify();
  });
  const middle = await lab.store.revision();
  const later = await last(lab, await lab.write(permission), middle);
  assert.equal(web.rejections.size, 1, "what was refused before is still refused");
  assert.deepEqual([later?.rejected, later?.proxies, later?.done], [[], { affected: 1, acked: 1 }, true]);
});

test("rollout() no longer counts a proxy that disconnects", async () => {
  await using lab = new Lab();
  await lab.write(TAGGED);
  const web = await lab.connect("default", "web-1", () => undefined);
  const before = await lab.store.revision();
  const revision = await lab.write(webTimeout);
  await lab.settle();
  const steps = follow(lab, revision, before);
  assert.deepEqual((await next(steps))?.proxies, { affected: 1, acked: 0 });
  lab.meshes.get("default")?.disconnect(web);
  const end = await next(steps);
  assert.deepEqual([end?.proxies, end?.done], [{ affected: 0, acked: 0 }, true]);
});

test("rollout() is not held up by what changes after it", async () => {
  await using lab = new Lab();
  await lab.write(TAGGED);
  const slow = new Slow();
  await lab.connect("default", "backend-1");
  await lab.connect("default", "web-1", slow.push);
  slow.acknowledge(lab);
  const before = await lab.store.revision();
  const revision = await lab.write(permission);
  await slow.isAsked(lab);
  const steps = follow(lab, revision, before);
  assert.equal((await next(steps))?.done, false);
  slow.acknowledge(lab);
  await lab.write(permission.replace("Allow", "Deny"));
  await slow.isAsked(lab);
  const end = await next(steps);
  assert.deepEqual([end?.proxies, end?.done], [{ affected: 2, acked: 2 }, true]);
});

test("rollout() ends with the reason of a signal that aborts", async () => {
  await using lab = new Lab();
  const before = await lab.write(TAGGED);
  const ending = new AbortController();
  const steps = lab.inspect.rollout(before + 1, before, ending.signal)[Symbol.asyncIterator]();
  await steps.next();
  const waiting = steps.next();
  ending.abort(new Error("the caller left"));
  await assert.rejects(waiting, /the caller left/);
});
