import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { LiveMeshes } from "./testkit/live-meshes.ts";

const SERVICES = ["a", "b", "c"];
const NAMES = SERVICES.flatMap((service) => [`${service}-0`, `${service}-1`]);

/** Something that happens to a mesh while what happened before is still being worked on. */
type Step = (live: LiveMeshes) => unknown;

const name = fc.constantFrom(...NAMES);
const steps: fc.Arbitrary<Step> = fc.oneof(
  step(4, fc.tuple(name, fc.boolean(), fc.boolean()), (live, [each, ready, named]) =>
    live.put(dataplane(each, ready, named)),
  ),
  step(1, name, (live, each) => live.remove("Dataplane", each)),
  // Deleted and written again before anybody looked.
  step(1, name, (live, each) => live.putTogether([dataplane(each, true, false)])),
  step(3, name, (live, each) => live.connect(each)),
  step(1, name, (live, each) => live.disconnect(each)),
  step(2, name, (live, each) => live.presence.synced("default", each, true)),
  step(2, fc.tuple(name, fc.boolean()), (live, [each, well]) =>
    live.presence.unhealthy("default", each, well ? [] : [8_080]),
  ),
  step(1, fc.tuple(fc.constantFrom(...SERVICES), fc.constantFrom("http", "tcp")), (live, [each, protocol]) =>
    live.put(service(each, protocol)),
  ),
  step(1, fc.integer({ min: 1, max: 3 }), (live, seconds) => live.put(timeout(seconds))),
  step(1, fc.constantFrom("ca-1", "ca-2"), (live, backend) => live.put(mesh(backend))),
  step(1, fc.constant(undefined), (live) => live.meshes.refreshAddresses()),
);

test("proxies end with what a control plane that starts now would tell them, whatever happened at the same time", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(steps, fc.boolean()), { minLength: 10, maxLength: 60 }), async (list) => {
      await using live = await LiveMeshes.create([mesh("ca-1"), ...SERVICES.map((each) => service(each, "http"))]);
      const running: unknown[] = [];
      for (const [run, pauses] of list) {
        running.push(run(live));
        if (pauses) await turn();
      }
      await Promise.all(running);
      for (const each of NAMES) await live.put(dataplane(each, true, false));
      await live.settled();
      await using fresh = await live.restarted();
      assert.deepEqual(live.failures, []);
      for (const each of live.connected()) assert.deepEqual(live.told(each), fresh.told(each), each);
    }),
    { numRuns: 50 },
  );
});

test("a Dataplane that is deleted and written again at once stays in load balancing while its proxy is connected", async () => {
  await using live = await LiveMeshes.create([mesh("ca-1"), dataplane("a-0", true, false)]);
  await live.settled();
  live.connect("a-0");
  await live.putTogether([dataplane("a-0", true, false)]);
  await live.settled();
  assert.equal(live.facts("a-0")?.online, true);
});

test("a proxy that connects while a name of the same batch is looked up counts as connected", async () => {
  await using live = await LiveMeshes.create([mesh("ca-1")]);
  const asked = slowLookup(live);
  await live.putTogether([dataplane("a-0", true, false), dataplane("a-1", true, true)]);
  const answer = await asked;
  live.connect("a-0");
  answer("127.0.0.9");
  await live.settled();
  assert.equal(live.facts("a-0")?.online, true);
});

test("refreshAddresses() does not bring back what was deleted while its name was looked up", async () => {
  await using live = await LiveMeshes.create([mesh("ca-1"), dataplane("a-0", true, true)]);
  await live.settled();
  const asked = slowLookup(live);
  const refreshing = live.meshes.refreshAddresses();
  const answer = await asked;
  await live.remove("Dataplane", "a-0");
  await live.settled();
  answer("127.0.0.9");
  await refreshing;
  assert.equal(live.facts("a-0"), undefined);
});

/** Resolves when a name is asked for, with the way to answer. */
function slowLookup(live: LiveMeshes): Promise<(address: string) => void> {
  const asked = Promise.withResolvers<(address: string) => void>();
  live.lookup = async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    asked.resolve(resolve);
    return await promise;
  };
  return asked.promise;
}

function step<Value>(weight: number, values: fc.Arbitrary<Value>, run: (live: LiveMeshes, value: Value) => unknown) {
  return {
    weight,
    arbitrary: values.map(
      (value): Step =>
        (live) =>
          run(live, value),
    ),
  };
}

function mesh(enabledBackend: string): object {
  const backends = ["ca-1", "ca-2"].map((each) => ({ name: each, type: "builtin", mode: "STRICT" }));
  return { type: "Mesh", name: "default", mtls: { enabledBackend, backends } };
}

function service(each: string, appProtocol: string): object {
  const selector = { dataplaneLabels: { matchLabels: { app: each } } };
  const ports = [{ port: 80, targetPort: 8_080, appProtocol }];
  return { type: "MeshService", mesh: "default", name: each, spec: { selector, ports } };
}

/** An instance that calls every service; `named` instances have a host name, which takes a while to look up. */
function dataplane(each: string, ready: boolean, named: boolean): object {
  const [app = ""] = each.split("-");
  const address = named ? "localhost" : `127.0.0.${10 + NAMES.indexOf(each)}`;
  const outbound = SERVICES.map((callee, index) => ({
    port: 20_000 + index,
    backendRef: { kind: "MeshService", name: callee, port: 80 },
  }));
  const inbound = [{ port: 8_080, state: ready ? "Ready" : "NotReady" }];
  return {
    type: "Dataplane",
    mesh: "default",
    name: each,
    labels: { app },
    networking: { address, inbound, outbound },
  };
}

function timeout(seconds: number): object {
  const to = [{ targetRef: { kind: "Mesh" }, default: { http: { requestTimeout: `${seconds}s` } } }];
  return { type: "MeshTimeout", mesh: "default", name: "all", spec: { to } };
}
