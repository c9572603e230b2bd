import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get, type IncomingMessage, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { compile } from "@heddle/engine/compile.ts";
import { Memo } from "@heddle/engine/memo.ts";
import { assignmentsOf } from "@heddle/engine/testkit/assignments.ts";
import { decoded } from "@heddle/engine/testkit/decode.ts";
import { runEnvoy } from "@heddle/engine/testkit/run-envoy.ts";
import { yamlMesh } from "@heddle/engine/testkit/yaml-mesh.ts";
import { policies } from "../index.ts";

const BACKEND = "kri_msvc_default___backend_80";

/** An instance of the service: a server that says its name. */
interface Instance {
  readonly name: string;
  readonly port: number;
  readonly zone?: string;
  readonly node?: string;
}

async function instance(t: TestContext, name: string, where: Partial<Instance> = {}): Promise<Instance> {
  const server = createServer((_, answer) => answer.end(name));
  return { name, port: await listening(t, server), ...where };
}

async function listening(t: TestContext, server: Server): Promise<number> {
  t.after(() => server.close().closeAllConnections());
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as { readonly port: number }).port;
}

/** Where a caller in zone west, on node n1, reaches the service; every Envoy is a new one. */
async function offered(t: TestContext, conf: string, instances: readonly Instance[], more = ""): Promise<string> {
  const mesh = yamlMesh(
    `
type: Mesh
name: default
---
type: Dataplane
name: web-1
labels: { app: web, kuma.io/zone: west, node: n1 }
networking:
  address: 127.0.0.2
  outbound: [{ port: 10001, backendRef: { kind: MeshService, name: backend, port: 80 } }]
---
type: MeshService
name: backend
spec:
  selector: { dataplaneLabels: { matchLabels: { app: backend } } }
  ports: [{ port: 80, targetPort: api, appProtocol: http }]
---
type: MeshLoadBalancingStrategy
name: strategy
spec: { to: [{ targetRef: { kind: MeshService, name: backend }, default: ${conf} }] }
${more}${instances.map(dataplane).join("")}`,
    policies,
  );
  const entry = mesh.dataplanes.get("web-1");
  assert.ok(entry !== undefined);
  const compiled = compile(mesh, entry, policies, new Memo());
  const assignment = assignmentsOf(mesh, compiled).get(BACKEND);
  assert.ok(assignment !== undefined);
  const { "@type": _type, ...fields } = decoded(assignment) as Record<string, unknown>;
  const ports = await runEnvoy(t, compiled, { endpoints: {}, assignments: { [BACKEND]: fields } });
  return `http://127.0.0.1:${ports.get(`${BACKEND}:10001`)}/`;
}

function dataplane({ name, port, zone = "west", node = "" }: Instance): string {
  return `
---
type: Dataplane
name: ${name}
labels: { app: backend, kuma.io/zone: ${zone}, node: "${node}" }
networking: { address: 127.0.0.1, inbound: [{ port: ${port}, servicePort: 1, name: api }] }
`;
}

async function call(url: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(url, { headers });
  return response.status === 200 ? await response.text() : String(response.status);
}

/** How many of so many requests each instance got. */
async function shares(url: string, requests: number): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (let sent = 0; sent < requests; sent += 20) {
    for (const name of await Promise.all(Array.from({ length: 20 }, () => call(url)))) {
      counts[name] = (counts[name] ?? 0) + 1;
    }
  }
  return counts;
}

const USERS = Array.from({ length: 200 }, (_, index) => `user-${index}`);

async function byUser(url: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const user of USERS) found.set(user, await call(url, { "x-user": user }));
  return found;
}

for (const type of ["RingHash", "Maglev"]) {
  test(`${type} keeps a user at one instance, and moves only those whose instance is gone`, async (t) => {
    const names = ["a", "b", "c", "d"];
    const all = await Promise.all(names.map((name) => instance(t, name)));
    const conf = `{ loadBalancer: { type: ${type} }, hashPolicies: [{ type: Header, header: { name: x-user } }] }`;
    const url = await offered(t, conf, all);
    const [first, second] = [await byUser(url), await byUser(url)];
    assert.deepEqual(second, first);
    assert.deepEqual([...new Set(first.values())].toSorted(), names);
    const left = await byUser(await offered(t, conf, all.slice(0, 3)));
    const moved = USERS.filter((user) => first.get(user) !== "d" && first.get(user) !== left.get(user));
    // 150 users stay; the places that are shared out anew take some with them. Any other hash would move two of three.
    assert.ok(moved.length < 50, `${moved.length} of 150 moved`);
  });
}

test("a caller without the cookie is given one, and stays where it leads", async (t) => {
  const all = await Promise.all(["a", "b", "c", "d"].map((name) => instance(t, name)));
  const cookie = "{ type: Cookie, cookie: { name: cart, ttl: 60s, path: /shop } }";
  const url = await offered(t, `{ loadBalancer: { type: RingHash }, hashPolicies: [${cookie}] }`, all);
  const seen = new Set<string>();
  for (let caller = 0; caller < 12; caller++) {
    const { given, where } = await newcomer(url);
    assert.match(given, /^cart="?[0-9a-f]+"?; Max-Age=60; Path=\/shop; HttpOnly/);
    seen.add(where);
    const [pair = ""] = given.split(";");
    for (let calls = 0; calls < 3; calls++) {
      const again = await fetch(url, { headers: { cookie: pair } });
      assert.deepEqual([await again.text(), again.headers.getSetCookie()], [where, []]);
    }
  }
  assert.ok(seen.size > 1, "every caller was sent to the same instance");
});

/** Calls over a connection of its own, from which Envoy makes the cookie. */
async function newcomer(url: string): Promise<{ readonly given: string; readonly where: string }> {
  const [answer] = (await once(get(url, { agent: false }), "response")) as [IncomingMessage];
  return { given: answer.headers["set-cookie"]?.[0] ?? "", where: await text(answer) };
}

test("what is terminal and there is all that is hashed; what comes after it counts when it is not", async (t) => {
  const all = await Promise.all(["a", "b", "c", "d"].map((name) => instance(t, name)));
  const conf = `{ loadBalancer: { type: Maglev }, hashPolicies: [
    { type: Header, header: { name: x-user }, terminal: true }, { type: QueryParameter, queryParameter: { name: id } }] }`;
  const url = await offered(t, conf, all);
  const ids = Array.from({ length: 12 }, (_, id) => `${url}?id=${id}`);
  const named = await Promise.all(ids.map((each) => call(each, { "x-user": "u" })));
  assert.equal(new Set(named).size, 1);
  const first = await Promise.all(ids.map((each) => call(each)));
  assert.ok(new Set(first).size > 1);
  assert.deepEqual(await Promise.all(ids.map((each) => call(each))), first);
});

test("LeastRequest sends nothing to an instance that is busy while another one is not", async (t) => {
  const busy = createServer();
  const instances = [await instance(t, "free"), { name: "busy", port: await listening(t, busy) }];
  const conf = "{ loadBalancer: { type: LeastRequest, leastRequest: { choiceCount: 40 } } }";
  const url = await offered(t, conf, instances);
  const stop = new AbortController();
  t.after(() => stop.abort());
  const arrived = once(busy, "request").then(() => "busy");
  const send = async (): Promise<string> => await (await fetch(url, { signal: stop.signal })).text();
  // While nobody is busy it may be either; the one that does not answer has a request under way from then on.
  for (let sent = 0; sent < 50; sent++) {
    const answered = send();
    answered.catch(() => undefined);
    if ((await Promise.race([answered, arrived])) === "busy") break;
  }
  assert.equal(await arrived, "busy");
  busy.on("request", () => assert.fail("the busy instance got another request"));
  for (let sent = 0; sent < 40; sent++) assert.equal(await send(), "free");
});

const NEAR = "localZone: { affinityTags: [{ key: node }] }";

test("nine of ten requests stay at the instances that are near, and all go to the others when there is none", async (t) => {
  const near = await instance(t, "near", { node: "n1" });
  const others = await Promise.all(["far-1", "far-2"].map((name) => instance(t, name, { node: "n2" })));
  const conf = `{ localityAwareness: { ${NEAR} } }`;
  const counts = await shares(await offered(t, conf, [near, ...others]), 1_000);
  // 900 are expected; six standard deviations of 1,000 draws are 57.
  assert.ok(Math.abs((counts["near"] ?? 0) - 900) < 60, JSON.stringify(counts));
  assert.deepEqual(Object.keys(counts).toSorted(), ["far-1", "far-2", "near"]);
  assert.deepEqual(Object.keys(await shares(await offered(t, conf, others), 40)).toSorted(), ["far-1", "far-2"]);
});

const FAILOVER = `crossZone: { failover: [{ to: { type: Only, zones: [east] } }, { to: { type: AnyExcept, zones: [north] } }] }`;

test("other zones are called in the order of the rules when the ones before are gone, and others never", async (t) => {
  const west = await instance(t, "west");
  const east = await instance(t, "east", { zone: "east" });
  const south = await instance(t, "south", { zone: "south" });
  const north = await instance(t, "north", { zone: "north" });
  const conf = `{ localityAwareness: { ${NEAR}, ${FAILOVER} } }`;
  const called = async (...there: Instance[]): Promise<readonly string[]> =>
    Object.keys(await shares(await offered(t, conf, there), 20));
  assert.deepEqual(await called(north, south, east, west), ["west"]);
  assert.deepEqual(await called(north, south, east), ["east"]);
  assert.deepEqual(await called(north, south), ["south"]);
  assert.deepEqual(await called(north), ["503"]);
  const none = "{ localityAwareness: { crossZone: { failover: [{ to: { type: None } }] } } }";
  assert.equal(await call(await offered(t, none, [east, south])), "503");
});

test("another zone helps out as soon as fewer than the threshold of the own instances work", async (t) => {
  const stopping = createServer();
  const gone = { name: "west-2", port: await listening(t, stopping) };
  stopping.close();
  await once(stopping, "close");
  const all = [await instance(t, "west-1"), gone, await instance(t, "east", { zone: "east" })];
  const checks = `---
type: MeshHealthCheck
name: checks
spec: { to: [{ targetRef: { kind: Mesh }, default: { interval: 50ms, timeout: 1s, unhealthyThreshold: 1, http: {} } }] }
`;
  const conf = (percentage: number): string =>
    `{ localityAwareness: { crossZone: { failover: [{ to: { type: Any } }], failoverThreshold: { percentage: ${percentage} } } } }`;
  // Half of the zone works: enough for 50%, and for 100% the other half comes from elsewhere.
  const enough = await shares(await offered(t, conf(50), all, checks), 200);
  assert.equal(enough["east"], undefined, JSON.stringify(enough));
  const tooFew = await shares(await offered(t, conf(100), all, checks), 400);
  // 200 are expected; six standard deviations are 60.
  assert.ok(Math.abs((tooFew["east"] ?? 0) - 200) < 60, JSON.stringify(tooFew));
});
