import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResourceSet } from "@heddle/xds/resource.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import { Lab } from "../inspect/testkit/lab.ts";
import type { Proxy } from "./proxy.ts";

const MESH = `
type: Mesh
name: default
---
type: MeshService
name: backend
mesh: default
labels: { kuma.io/display-name: backend }
spec: { selector: { dataplaneTags: { kuma.io/service: backend } }, ports: [{ port: 80, appProtocol: http }] }
`;

const dataplane = (name: string, service: string): string => `
---
type: Dataplane
mesh: default
name: ${name}
networking:
  address: 127.0.0.1
  inbound: [{ port: 8080, servicePort: 18080, tags: { kuma.io/service: ${service}, kuma.io/protocol: http } }]
  outbound: [{ port: 10001, backendRef: { kind: MeshService, name: backend, port: 80 } }]
`;

const timeout = (requestTimeout: string, more = "", name = "slow"): string => `
type: MeshTimeout
mesh: default
name: ${name}
${more}
spec: { to: [{ targetRef: { kind: Mesh }, default: { http: { requestTimeout: ${requestTimeout} } } }] }
`;

const KRI = "kri_mt_default___slow_";
const BAD = "7s";

/** A mesh of proxies that take over what they get, unless it holds the bad timeout: then they refuse the route. */
class Fleet {
  readonly lab = new Lab();
  readonly sawBad = new Set<string>();
  onBad: (proxy: Proxy, set: ResourceSet) => void = (proxy, set) => {
    const rejection = {
      typeUrl: TYPE_URL.route,
      resources: ["backend"],
      detail: "Proto constraint validation failed (RouteConfigurationValidationError.VirtualHosts[0]: bad)",
      origins: [KRI],
      time: new Date().toISOString(),
    };
    proxy.refuse(`${TYPE_URL.route} backend`, rejection);
    proxy.synced(set);
  };

  onGood: (accept: () => void) => void = (accept) => accept();

  async start(size: number): Promise<void> {
    const names = Array.from({ length: size }, (_, index) => `web-${index}`);
    await this.lab.write(MESH + names.map((name, index) => dataplane(name, `web${index % 7}`)).join(""));
    for (const name of names) await this.connect(name);
  }

  async connect(name: string): Promise<Proxy> {
    return this.lab.connect("default", name, (proxy, set) => {
      // Answers arrive later, as they do from a real proxy.
      setImmediate(() => {
        if (proxy.set !== set) return;
        if (this.isBad(proxy)) {
          this.sawBad.add(name);
          this.onBad(proxy, set);
        } else this.onGood(() => proxy.synced(set));
        this.lab.progress.notify();
      });
    });
  }

  isBad({ compiled }: Proxy): boolean {
    const seconds = compiled?.outbounds[0]?.plan.routes[0]?.settings.timeout;
    return seconds === 7_000;
  }

  timeouts(): Set<number | undefined> {
    const proxies = [...(this.lab.meshes.get("default")?.proxies.values() ?? [])];
    return new Set(proxies.map(({ compiled }) => compiled?.outbounds[0]?.plan.routes[0]?.settings.timeout));
  }

  held(since = 0): readonly string[] {
    return (this.lab.meshes.get("default")?.heldSince(since) ?? []).map(({ policy }) => policy.name);
  }
}

async function fleet(size: number): Promise<Fleet & AsyncDisposable> {
  const made = new Fleet();
  await made.start(size);
  return Object.assign(made, { [Symbol.asyncDispose]: () => made.lab[Symbol.asyncDispose]() });
}

test("a policy that proxies accept reaches all of them", async () => {
  await using proxies = await fleet(30);
  await proxies.lab.write(timeout("3s"));
  await proxies.lab.settle();
  assert.deepEqual(proxies.timeouts(), new Set([3_000]));
});

test("a policy that a proxy refuses is seen by one proxy in a hundred and taken back", async () => {
  await using proxies = await fleet(250);
  await proxies.lab.write(timeout("3s"));
  await proxies.lab.settle();
  const revision = await proxies.lab.write(timeout(BAD));
  await proxies.lab.settle();
  assert.ok(proxies.sawBad.size === 1 || proxies.sawBad.size === 2, `${proxies.sawBad.size} saw it`);
  assert.deepEqual(proxies.timeouts(), new Set([3_000]));
  assert.deepEqual(proxies.held(revision - 1), ["slow"]);
  const [held] = proxies.lab.meshes.get("default")?.heldSince(0) ?? [];
  assert.equal(held?.refusals[0]?.field, "VirtualHosts[0]");
  assert.ok(held !== undefined && held.exposed <= 2);
});

test("a policy that is new and refused is not in force at all, and others go on", async () => {
  await using proxies = await fleet(5);
  await proxies.lab.write(`${timeout(BAD)}\n---\n${timeout("4s", "", "other")}`);
  await proxies.lab.settle();
  assert.equal(proxies.sawBad.size, 1);
  assert.deepEqual(proxies.timeouts(), new Set([4_000]));
});

test("what is corrected goes out, however often it was refused before", async () => {
  await using proxies = await fleet(5);
  for (const seconds of [BAD, "5s", BAD, "6s"]) {
    await proxies.lab.write(timeout(seconds));
    await proxies.lab.settle();
  }
  assert.deepEqual(proxies.timeouts(), new Set([6_000]));
  assert.deepEqual(proxies.held(), ["slow", "slow"]);
});

test("a policy that comes while every proxy still takes something else over is tried on one, too", async () => {
  await using proxies = await fleet(3);
  const late: (() => void)[] = [];
  proxies.onGood = (accept) => late.push(accept);
  await proxies.lab.write(MESH.slice(MESH.indexOf("type: MeshService")).replace("http }", "http2 }"));
  const patience = AbortSignal.timeout(5_000);
  while (late.length < 3) await proxies.lab.progress.wait(patience);
  await proxies.lab.write(timeout(BAD));
  await proxies.lab.settle();
  const [held] = proxies.lab.meshes.get("default")?.heldSince(0) ?? [];
  assert.equal(held?.exposed, 1);
});

test("a refused policy that is deleted leaves nothing behind", async () => {
  await using proxies = await fleet(3);
  await proxies.lab.write(timeout("3s"));
  await proxies.lab.write(timeout(BAD));
  await proxies.lab.settle();
  await proxies.lab.remove({ type: "MeshTimeout", mesh: "default", name: "slow" });
  await proxies.lab.settle();
  assert.deepEqual(proxies.timeouts(), new Set([15_000]));
});

test("a policy that its author insists on goes to everybody and stays", async () => {
  await using proxies = await fleet(5);
  await proxies.lab.write(timeout(BAD, "labels: { heddle.io/hold: disabled }"));
  const patience = AbortSignal.timeout(5_000);
  while (proxies.sawBad.size < 5) await proxies.lab.progress.wait(patience);
  assert.deepEqual(proxies.timeouts(), new Set([7_000]));
  assert.deepEqual(proxies.held(), []);
});

test("a proxy that keeps silent holds nobody up for long", async () => {
  await using proxies = await fleet(4);
  proxies.onBad = () => undefined;
  await proxies.lab.write(timeout(BAD));
  const patience = AbortSignal.timeout(8_000);
  const everybody = (): boolean => proxies.timeouts().size === 1 && proxies.timeouts().has(7_000);
  while (!everybody()) await proxies.lab.progress.wait(patience);
});

test("a proxy whose machine is at fault says nothing about a policy", async () => {
  await using proxies = await fleet(4);
  const refuse = proxies.onBad;
  proxies.onBad = (proxy, set) => {
    const detail = "cannot bind '127.0.0.1:8080': Address already in use";
    const rejection = { typeUrl: TYPE_URL.listener, resources: ["x"], detail, origins: [KRI], time: "" };
    proxy.refuse(`${TYPE_URL.listener} x`, rejection);
    proxy.synced(set);
  };
  await proxies.lab.write(timeout(BAD));
  await proxies.lab.settle();
  assert.deepEqual(proxies.timeouts(), new Set([7_000]));
  assert.notEqual(refuse, proxies.onBad);
});

test("proxies that go away while they apply a policy hold it", async () => {
  await using proxies = await fleet(4);
  const runtime = proxies.lab.meshes.get("default");
  proxies.onBad = (proxy) => runtime?.disconnect(proxy);
  await proxies.lab.write(timeout(BAD));
  await proxies.lab.settle();
  assert.equal(proxies.sawBad.size, 2);
  assert.deepEqual(proxies.held(), ["slow"]);
  assert.deepEqual(proxies.timeouts(), new Set([15_000]));
});

test("a proxy that refuses after all others accepted takes the policy back everywhere", async () => {
  await using proxies = await fleet(6);
  const refuse = proxies.onBad;
  let first = true;
  proxies.onBad = (proxy, set) => {
    if (!first) return refuse(proxy, set);
    first = false;
    proxy.synced(set);
  };
  await proxies.lab.write(timeout("3s"));
  await proxies.lab.settle();
  await proxies.lab.write(timeout(BAD));
  const patience = AbortSignal.timeout(5_000);
  while (proxies.held().length === 0) await proxies.lab.progress.wait(patience);
  await proxies.lab.settle();
  assert.deepEqual(proxies.timeouts(), new Set([3_000]));
});

test("who connects while a policy is tried gets what is proven", async () => {
  await using proxies = await fleet(3);
  await proxies.lab.write(dataplane("late", "late").replace("\n---\n", ""));
  await proxies.lab.settle();
  let answer = (): void => undefined;
  proxies.onBad = (proxy, set) => {
    answer = () => proxy.synced(set);
  };
  await proxies.lab.write(timeout(BAD));
  const patience = AbortSignal.timeout(5_000);
  while (proxies.sawBad.size === 0) await proxies.lab.progress.wait(patience);
  const late = proxies.lab.meshes.get("default")?.connect("late");
  while (late?.compiled === undefined) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(late.compiled.outbounds[0]?.plan.routes[0]?.settings.timeout, 15_000);
  answer();
  await proxies.lab.settle();
  assert.deepEqual(proxies.timeouts(), new Set([7_000]));
});
