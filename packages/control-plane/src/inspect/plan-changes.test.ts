import assert from "node:assert/strict";
import { test } from "node:test";
import type { EnvoyChange, ProxyChange } from "@heddle/api/reports.ts";
import type { PlannedChanges } from "@heddle/api/ports.ts";
import type { ResourceKey } from "@heddle/model/resource.ts";
import type { ResourceSet } from "@heddle/xds/resource.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import { applyPatch, type Operation } from "rfc6902";
import { envoyJson } from "./envoy-json.ts";
import { Lab, resourcesIn } from "./testkit/lab.ts";
import { LABELLED, TAGGED } from "./testkit/meshes.ts";

const timeout = (seconds: number): string => `
type: MeshTimeout
mesh: default
name: slow
spec:
  targetRef: { kind: Mesh }
  to: [{ targetRef: { kind: Mesh }, default: { http: { requestTimeout: ${seconds}s } } }]
`;

const route = `
type: MeshHTTPRoute
mesh: default
name: split
spec:
  to:
    - targetRef: { kind: MeshService, labels: { kuma.io/display-name: backend } }
      rules:
        - matches: [{ path: { type: PathPrefix, value: /next } }]
          default: { backendRefs: [{ kind: MeshService, name: backend-next, port: 80 }] }
`;

interface Case {
  readonly title: string;
  readonly before: string;
  readonly puts?: string;
  readonly deletes?: readonly ResourceKey[];
}

const cases: readonly Case[] = [
  { title: "a policy that is new", before: TAGGED, puts: timeout(5) },
  { title: "a policy that is another", before: `${TAGGED}---${timeout(5)}`, puts: timeout(6) },
  {
    title: "a policy that goes",
    before: `${TAGGED}---${timeout(5)}`,
    deletes: [{ type: "MeshTimeout", mesh: "default", name: "slow" }],
  },
  { title: "a route to another service", before: LABELLED, puts: route },
  {
    title: "a service that goes",
    before: LABELLED,
    deletes: [{ type: "MeshService", mesh: "default", name: "backend" }],
  },
  { title: "mutual TLS turned on", before: withoutMtls(TAGGED), puts: meshOnly(TAGGED) },
  { title: "mutual TLS turned off", before: TAGGED, puts: "{ type: Mesh, name: default }" },
  { title: "a first identity", before: withoutIdentity(LABELLED), puts: identityOnly(LABELLED) },
  {
    title: "a Dataplane whose port moves",
    before: TAGGED,
    puts: TAGGED.split("---")[2]?.replaceAll("10002", "10012") ?? "",
  },
  {
    title: "several at once",
    before: `${LABELLED}---${timeout(5)}`,
    puts: route,
    deletes: [{ type: "MeshTimeout", mesh: "default", name: "slow" }],
  },
];

for (const { title, before, puts = "", deletes = [] } of cases) {
  test(`plan() says of ${title} what writing it then changes, and how`, async () => {
    await using lab = new Lab();
    await lab.write(before);
    const proxies = [await lab.connect("default", "backend-1"), await lab.connect("default", "web-1")];
    const old = new Map(proxies.map(({ name, set }) => [name, set]));
    const changes: PlannedChanges = { puts: puts === "" ? [] : resourcesIn(puts), deletes, diff: true };
    const revision = await lab.store.revision();
    const planned = await lab.inspect.plan(changes);
    assert.equal(await lab.store.revision(), revision, "a plan wrote something");

    if (puts !== "") await lab.write(puts);
    for (const key of deletes) await lab.remove(key);
    await lab.settle();
    assert.deepEqual(lab.failures, []);
    const connected = planned.filter(({ name }) => old.has(name));
    const happened = proxies
      .map(({ mesh, name, set }) => ({ mesh, name, changes: differences(old.get(name), set) }))
      .filter((each) => each.changes.length > 0);
    assert.ok(happened.length > 0, "the case changes nothing");
    assert.deepEqual(connected.map(withoutPatches), happened);
    for (const { name, changes: said } of connected) {
      const now = proxies.find((proxy) => proxy.name === name)?.set;
      for (const change of said) assertPatched(change, old.get(name), now);
    }
  });
}

test("plan() counts proxies that are not connected", async () => {
  await using lab = new Lab();
  await lab.write(TAGGED);
  await lab.connect("default", "web-1");
  const planned = await lab.inspect.plan({ puts: resourcesIn(timeout(5)), deletes: [], diff: false });
  assert.deepEqual(planned, [
    { mesh: "default", name: "web-1", changes: [{ typeUrl: TYPE_URL.route, name: "backend", change: "changed" }] },
  ]);
  const permission = `
type: MeshTrafficPermission
mesh: default
name: all
spec: { from: [{ targetRef: { kind: Mesh }, default: { action: Allow } }] }
`;
  const all = await lab.inspect.plan({ puts: resourcesIn(permission), deletes: [], diff: false });
  assert.deepEqual(
    all.map(({ name }) => name),
    ["backend-1", "backend-2", "web-1"],
  );
});

test("plan() of an instance that goes takes its address from those who call it", async () => {
  await using lab = new Lab();
  await lab.write(TAGGED);
  await lab.connect("default", "backend-1");
  await lab.connect("default", "web-1");
  const key = { type: "Dataplane", mesh: "default", name: "backend-1" };
  const planned = await lab.inspect.plan({ puts: [], deletes: [key], diff: true });
  const web = planned.find(({ name }) => name === "web-1");
  assert.deepEqual(web?.changes, [
    { typeUrl: TYPE_URL.endpoint, name: "backend", change: "changed", patch: [{ op: "remove", path: "/endpoints" }] },
  ]);
});

test("plan() of what is there already, of secrets and of a policy that selects nobody names no proxy", async () => {
  await using lab = new Lab();
  await lab.write(`${TAGGED}---${timeout(5)}`);
  const nobody = timeout(5).replace("{ kind: Mesh }\n  to", "{ kind: MeshSubset, tags: { team: none } }\n  to");
  const puts = [
    ...resourcesIn(`${TAGGED}---${timeout(5)}`),
    ...resourcesIn(nobody.replace("slow", "other")),
    ...resourcesIn("{ type: Secret, mesh: default, name: token, data: aGVsbG8= }"),
  ];
  assert.deepEqual(await lab.inspect.plan({ puts, deletes: [], diff: true }), []);
});

test("plan() of a mesh that does not exist yet tells what its proxies will get, and shows no secret", async () => {
  await using lab = new Lab();
  const planned = await lab.inspect.plan({ puts: resourcesIn(TAGGED), deletes: [], diff: true });
  assert.deepEqual(
    planned.map(({ name }) => name),
    ["backend-1", "backend-2", "web-1"],
  );
  const secrets = planned[2]?.changes.filter(({ typeUrl }) => typeUrl === TYPE_URL.secret);
  assert.deepEqual(secrets, [
    { typeUrl: TYPE_URL.secret, name: "system_mtls_ca_default", change: "added" },
    { typeUrl: TYPE_URL.secret, name: "system_mtls_identity_default", change: "added" },
  ]);
});

test("plan() of a mesh that goes takes everything from its proxies", async () => {
  await using lab = new Lab();
  await lab.write(TAGGED);
  await lab.settle();
  const mesh = { type: "Mesh", mesh: "", name: "default" };
  const planned = await lab.inspect.plan({ puts: [], deletes: [mesh], diff: false });
  assert.equal(planned.length, 3);
  assert.deepEqual([...new Set(planned.flatMap(({ changes }) => changes.map(({ change }) => change)))], ["removed"]);
});

/** What changed between two sets, by looking at every resource. */
function differences(old: ResourceSet | undefined, now: ResourceSet): readonly EnvoyChange[] {
  const names = (set: ResourceSet | undefined): readonly string[] =>
    [...(set ?? [])].flatMap(([typeUrl, resources]) => [...resources.keys()].map((name) => `${typeUrl} ${name}`));
  return [...new Set([...names(old), ...names(now)])].toSorted().flatMap((key): EnvoyChange[] => {
    const [typeUrl = "", name = ""] = key.split(" ");
    const before = old?.get(typeUrl)?.get(name)?.version;
    const after = now.get(typeUrl)?.get(name)?.version;
    if (before === after) return [];
    return [{ typeUrl, name, change: before === undefined ? "added" : after === undefined ? "removed" : "changed" }];
  });
}

function withoutPatches({ mesh, name, changes }: ProxyChange): ProxyChange {
  return {
    mesh,
    name,
    changes: changes.map((each) => ({ typeUrl: each.typeUrl, name: each.name, change: each.change })),
  };
}

function assertPatched(
  { typeUrl, name, patch }: EnvoyChange,
  old: ResourceSet | undefined,
  now: ResourceSet | undefined,
): void {
  if (typeUrl === TYPE_URL.secret) return assert.equal(patch, undefined);
  const [before, after] = [old, now].map((set) => set?.get(typeUrl)?.get(name));
  // A patch of the whole document needs something to hang it on.
  const document = { "": before === undefined ? undefined : envoyJson(before) };
  const moved = ((patch ?? []) as Operation[]).map((operation) => ({ ...operation, path: `/${operation.path}` }));
  assert.deepEqual(
    applyPatch(document, moved).filter((error) => error !== null),
    [],
  );
  assert.deepEqual(document[""], after === undefined ? undefined : envoyJson(after));
}

function withoutMtls(yaml: string): string {
  return ["type: Mesh\nname: default\n", ...yaml.split("---").slice(1)].join("---\n");
}

function meshOnly(yaml: string): string {
  return yaml.split("---")[0] ?? "";
}

function withoutIdentity(yaml: string): string {
  return yaml
    .split("---")
    .filter((document) => !document.includes("type: MeshIdentity"))
    .join("---");
}

function identityOnly(yaml: string): string {
  return yaml.split("---").find((document) => document.includes("type: MeshIdentity")) ?? "";
}
