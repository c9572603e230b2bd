import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Tokens, VerifyUserToken } from "../ports.ts";
import type { Reply } from "../testkit/http-client.ts";
import { FROM_ELSEWHERE } from "../testkit/http-client.ts";
import { proxyDocument, type RunningApi, startApi } from "../testkit/running-api.ts";

const USERS = {
  root: ["mesh-system:admin"],
  team: ["team"],
  owner: ["owner"],
  issuer: ["issuer"],
  viewer: ["viewer"],
  nobody: [],
} as const;
type UserName = keyof typeof USERS;

const verifyUserToken: VerifyUserToken = async (token) =>
  token in USERS ? { name: token, groups: [...USERS[token as UserName]] } : { reason: "unknown" };
const issue = async () => ({ ok: true, token: "a.b.c" }) as const;
const tokens: Tokens = { issueDataplaneToken: issue, issueZoneToken: issue, issueUserToken: issue };

const ALL = ["CREATE", "UPDATE", "DELETE"];
const everything = [
  ...ALL,
  "GENERATE_DATAPLANE_TOKEN",
  "GENERATE_USER_TOKEN",
  "GENERATE_ZONE_TOKEN",
  "VIEW_CONFIG_DUMP",
  "VIEW_STATS",
  "VIEW_CLUSTERS",
  "VIEW_CONTROL_PLANE_METADATA",
];
const backend = { targetRef: { kind: "MeshService", name: "backend" } };

const ROLES: Readonly<Record<string, readonly unknown[]>> = {
  admin: [{ access: everything }],
  team: [{ types: ["MeshTimeout", "Dataplane", "Secret", "Mesh"], mesh: "default", access: ALL }],
  owner: [{ types: ["MeshTimeout"], names: ["mine"], access: ["CREATE", "UPDATE"], when: [{ to: backend }] }],
  issuer: [
    {
      mesh: "default",
      access: ["GENERATE_DATAPLANE_TOKEN"],
      when: [{ dpToken: { tags: [{ name: "kuma.io/service", value: "web" }] } }],
    },
    { access: ["GENERATE_ZONE_TOKEN"], names: ["east"] },
  ],
  viewer: [{ mesh: "default", access: ["VIEW_CONFIG_DUMP", "VIEW_STATS"] }],
};

const GROUP_OF: Readonly<Record<string, string>> = { admin: "mesh-system:admin" };

async function startWithRoles(): Promise<RunningApi> {
  const api = await startApi({ verifyUserToken, tokens }, { accessType: "rbac", localhostIsAdmin: false });
  const { store } = api.ports;
  await store.create({ type: "Mesh", mesh: "", name: "other", labels: {}, spec: {} });
  for (const [name, rules] of Object.entries(ROLES)) {
    await store.create({ type: "AccessRole", mesh: "", name, labels: {}, spec: { rules } });
    const subjects = [{ type: "Group", name: GROUP_OF[name] ?? name }];
    await store.create({ type: "AccessRoleBinding", mesh: "", name, labels: {}, spec: { subjects, roles: [name] } });
  }
  return api;
}

const shared = await startWithRoles();
after(() => shared[Symbol.asyncDispose]());

async function as(api: RunningApi, user: string, line: readonly [string, string, unknown?]): Promise<Reply> {
  const [method, path, body] = line;
  const identity = user === "anonymous" ? {} : { authorization: `Bearer ${user}` };
  return await api.call(method, path, {
    headers: { ...FROM_ELSEWHERE, ...identity },
    ...(body === undefined ? {} : { body }),
  });
}

const CALLERS = ["root", "team", "owner", "issuer", "viewer", "nobody", "anonymous"] as const;
const N = 403;

const timeout = (name: string, mesh: string, service = "backend"): unknown => ({
  type: "MeshTimeout",
  mesh,
  name,
  spec: { to: [{ targetRef: { kind: "MeshService", name: service }, default: { connectionTimeout: "1s" } }] },
});
const secret = { data: "eA==" };
const role = { type: "AccessRole", name: "new", rules: [{ access: ["CREATE"], types: ["MeshTimeout"] }] };
const dp = (mesh: string) => proxyDocument("web", { mesh });

/** Status for root, team, owner, issuer, viewer, nobody and a caller without identity. */
const table: readonly (readonly [method: string, path: string, body: unknown, statuses: readonly number[]])[] = [
  // Reading stays open, but for secrets.
  ["GET", "/", undefined, [200, 200, 200, 200, 200, 200, 200]],
  ["GET", "/meshes", undefined, [200, 200, 200, 200, 200, 200, 200]],
  ["GET", "/meshes/default", undefined, [200, 200, 200, 200, 200, 200, 200]],
  ["GET", "/meshtimeouts", undefined, [200, 200, 200, 200, 200, 200, 200]],
  ["GET", "/meshes/other/meshtimeouts", undefined, [200, 200, 200, 200, 200, 200, 200]],
  ["GET", "/access-roles", undefined, [200, 200, 200, 200, 200, 200, 200]],
  ["GET", "/access-role-bindings/admin", undefined, [200, 200, 200, 200, 200, 200, 200]],
  ["GET", "/who-am-i", undefined, [200, 200, 200, 200, 200, 200, 200]],
  ["GET", "/secrets", undefined, [200, N, N, N, N, N, N]],
  ["GET", "/meshes/default/secrets", undefined, [200, 200, N, N, N, N, N]],
  ["GET", "/meshes/other/secrets", undefined, [200, N, N, N, N, N, N]],
  ["GET", "/meshes/default/secrets/x", undefined, [404, 404, N, N, N, N, N]],
  ["GET", "/globalsecrets", undefined, [200, N, N, N, N, N, N]],
  ["GET", "/globalsecrets/x", undefined, [404, N, N, N, N, N, N]],
  ["GET", "/config", undefined, [200, N, N, N, N, N, N]],
  // Creating.
  ["PUT", "/meshes/default/meshtimeouts/x", timeout("x", "default"), [201, 201, N, N, N, N, N]],
  ["PUT", "/meshes/default/meshtimeouts/mine", timeout("mine", "default"), [201, 201, 201, N, N, N, N]],
  ["PUT", "/meshes/default/meshtimeouts/mine", timeout("mine", "default", "web"), [201, 201, N, N, N, N, N]],
  ["PUT", "/meshes/other/meshtimeouts/x", timeout("x", "other"), [201, N, N, N, N, N, N]],
  ["PUT", "/meshes/other/meshtimeouts/mine", timeout("mine", "other"), [201, N, 201, N, N, N, N]],
  ["PUT", "/meshes/default/secrets/x", secret, [201, 201, N, N, N, N, N]],
  ["PUT", "/meshes/other/secrets/x", secret, [201, N, N, N, N, N, N]],
  ["PUT", "/globalsecrets/x", secret, [201, N, N, N, N, N, N]],
  ["PUT", "/meshes/third", { type: "Mesh", name: "third" }, [201, N, N, N, N, N, N]],
  ["PUT", "/zones/east", { type: "Zone", name: "east" }, [201, N, N, N, N, N, N]],
  ["PUT", "/access-roles/new", role, [201, N, N, N, N, N, N]],
  ["PUT", "/access-audits/new", { rules: [{ accessAll: true }] }, [201, N, N, N, N, N, N]],
  // Changing.
  ["PUT", "/meshes/default", { type: "Mesh", name: "default" }, [200, 200, N, N, N, N, N]],
  ["PUT", "/meshes/other", { type: "Mesh", name: "other" }, [200, N, N, N, N, N, N]],
  ["PUT", "/meshes/default/meshtimeouts/there", timeout("there", "default"), [200, 200, N, N, N, N, N]],
  ["PUT", "/meshes/default/dataplanes/web", dp("default"), [200, 200, N, N, N, N, N]],
  // Deleting.
  ["DELETE", "/meshes/default/meshtimeouts/there", undefined, [200, 200, N, N, N, N, N]],
  ["DELETE", "/meshes/other/meshtimeouts/there", undefined, [200, N, N, N, N, N, N]],
  ["DELETE", "/meshes/default/dataplanes/web", undefined, [200, 200, N, N, N, N, N]],
  ["DELETE", "/globalsecrets/x", undefined, [404, N, N, N, N, N, N]],
  ["DELETE", "/access-roles/viewer", undefined, [200, N, N, N, N, N, N]],
  // Tokens.
  ["POST", "/tokens/dataplane", { mesh: "default" }, [200, N, N, N, N, N, N]],
  ["POST", "/tokens/dataplane", { mesh: "default", tags: { "kuma.io/service": ["web"] } }, [200, N, N, 200, N, N, N]],
  ["POST", "/tokens/dataplane", { mesh: "default", tags: { "kuma.io/service": ["api"] } }, [200, N, N, N, N, N, N]],
  ["POST", "/tokens/dataplane", { mesh: "other", tags: { "kuma.io/service": ["web"] } }, [200, N, N, N, N, N, N]],
  ["POST", "/tokens/zone", { zone: "east" }, [200, N, N, 200, N, N, N]],
  ["POST", "/tokens/zone", { zone: "west" }, [200, N, N, N, N, N, N]],
  ["POST", "/tokens/user", { name: "joe", validFor: "1h" }, [200, N, N, N, N, N, N]],
  // Looking into proxies: 404 and 503 come from the engine of the test, which knows nothing.
  ["GET", "/meshes/default/dataplanes/web/_config", undefined, [404, N, N, N, 404, N, N]],
  ["GET", "/meshes/default/dataplanes/web/xds", undefined, [503, N, N, N, 503, N, N]],
  ["GET", "/meshes/default/dataplanes/web/stats", undefined, [503, N, N, N, 503, N, N]],
  ["GET", "/meshes/default/dataplanes/web/clusters", undefined, [503, N, N, N, N, N, N]],
  ["GET", "/meshes/other/dataplanes/web/xds", undefined, [503, N, N, N, N, N, N]],
  // Plans are for those who write; what they may not write is told for each document.
  ["POST", "/plan", { documents: [timeout("x", "default")] }, [200, 200, 200, N, N, N, N]],
  ["POST", "/plan", { documents: [{ type: "GlobalSecret", name: "x" }] }, [200, N, N, N, N, N, N]],
  ["POST", "/plan", { deletes: [{ type: "Secret", mesh: "default", name: "x" }] }, [200, 200, N, N, N, N, N]],
];

const KEPT = new Set(["AccessRole", "AccessRoleBinding"]);

/** The state that each call meets: a proxy and a policy in both meshes, and all roles. */
async function reset({ ports: { store } }: RunningApi): Promise<void> {
  for (const type of ["Zone", "GlobalSecret", "Secret", "MeshTimeout", "Dataplane", "AccessAudit", "Mesh"]) {
    for (const key of (await store.list({ type })).items) {
      if (type !== "Mesh" || key.name === "third") await store.delete(key);
    }
  }
  for (const mesh of ["default", "other"]) {
    const { networking } = proxyDocument("web");
    await store.create({ type: "Dataplane", mesh, name: "web", labels: {}, spec: { networking } });
    const { spec } = timeout("there", mesh) as { spec: unknown };
    await store.create({ type: "MeshTimeout", mesh, name: "there", labels: {}, spec });
  }
  for (const type of KEPT) {
    for (const key of (await store.list({ type })).items) if (key.name === "new") await store.delete(key);
  }
  const viewer = { type: "AccessRole", mesh: "", name: "viewer" };
  if ((await store.get(viewer)) === undefined)
    await store.create({ ...viewer, labels: {}, spec: { rules: ROLES["viewer"] } });
}

for (const [method, path, body, statuses] of table) {
  for (const [index, caller] of CALLERS.entries()) {
    const what = body === undefined ? "" : ` ${JSON.stringify(body).slice(0, 60)}`;
    test(`createApi() with roles answers ${method} ${path}${what} of ${caller} with ${statuses[index]}`, async () => {
      await reset(shared);
      const reply = await as(shared, caller, [method, path, body]);
      assert.equal(reply.status, statuses[index], reply.text);
    });
  }
}

test("createApi() says which role would allow what it refuses", async () => {
  await reset(shared);
  const reply = await as(shared, "viewer", ["PUT", "/meshes/default/dataplanes/web", dp("default")]);
  assert.deepEqual(
    [reply.json()["title"], reply.json()["detail"]],
    [
      "Access Denied",
      'user "viewer/viewer,mesh-system:authenticated" cannot CREATE Dataplane "web" in mesh "default": ' +
        'no rule of AccessRole "viewer" grants it; AccessRole "admin", AccessRole "team" would: ' +
        "bind one with an AccessRoleBinding",
    ],
  );
});

test("createApi() lets nobody take over the policy of others by pointing it elsewhere", async () => {
  await using api = await startWithRoles();
  const mine = "/meshes/default/meshtimeouts/mine";
  assert.equal((await as(api, "root", ["PUT", mine, timeout("mine", "default", "web")])).status, 201);
  assert.equal((await as(api, "owner", ["PUT", mine, timeout("mine", "default")])).status, 403);
  assert.equal((await as(api, "owner", ["DELETE", mine])).status, 403);
});

test("createApi() obeys a binding from the answer to its write on, and its removal too", async () => {
  await using api = await startWithRoles();
  const binding = {
    type: "AccessRoleBinding",
    name: "n",
    subjects: [{ type: "User", name: "nobody" }],
    roles: ["team"],
  };
  for (let round = 0; round < 20; round += 1) {
    const path = `/meshes/default/meshtimeouts/x${round}`;
    const body = timeout(`x${round}`, "default");
    assert.equal((await as(api, "nobody", ["PUT", path, body])).status, 403);
    assert.equal((await as(api, "root", ["PUT", "/access-role-bindings/n", binding])).status, 201);
    assert.equal((await as(api, "nobody", ["PUT", path, body])).status, 201);
    assert.equal((await as(api, "root", ["DELETE", "/access-role-bindings/n"])).status, 200);
  }
});

const lockOuts: readonly (readonly [what: string, line: readonly [string, string, unknown?]])[] = [
  ["deletes the binding", ["DELETE", "/access-role-bindings/admin"]],
  ["deletes the role", ["DELETE", "/access-roles/admin"]],
  [
    "binds others only",
    ["PUT", "/access-role-bindings/admin", { subjects: [{ type: "Group", name: "x" }], roles: ["admin"] }],
  ],
  ["narrows the role", ["PUT", "/access-roles/admin", { rules: [{ access: ["CREATE"], types: ["MeshTimeout"] }] }]],
];

for (const [what, line] of lockOuts) {
  test(`createApi() refuses the write of the last administrator who ${what}`, async () => {
    await using api = await startWithRoles();
    const body =
      line[2] === undefined
        ? undefined
        : {
            type: line[1].includes("bindings") ? "AccessRoleBinding" : "AccessRole",
            name: "admin",
            ...(line[2] as object),
          };
    const reply = await as(api, "root", [line[0], line[1], body]);
    assert.equal(reply.status, 409, reply.text);
    assert.match(String(reply.json()["detail"]), /you would lose the right to change roles yourself; keep a role/);
  });
}

test("createApi() lets an administrator narrow the others", async () => {
  await using api = await startWithRoles();
  assert.equal((await as(api, "root", ["DELETE", "/access-role-bindings/team"])).status, 200);
});

test("createApi() tells a mistyped type in a role, a role that is not there, and roles that count for nothing", async () => {
  await using api = await startApi();
  const wrong = { type: "AccessRole", name: "r", rules: [{ types: ["MeshTimeot"], access: ["CREATE"] }] };
  const refused = await api.call("PUT", "/access-roles/r", { body: wrong });
  assert.match(refused.text, /there is no type \\"MeshTimeot\\"; did you mean MeshTimeout\?/);
  const body = { type: "AccessRoleBinding", name: "b", subjects: [{ type: "User", name: "u" }], roles: ["gone"] };
  assert.deepEqual((await api.call("PUT", "/access-role-bindings/b", { body })).json()["warnings"], [
    "has no effect: access.type of the control plane is static, not rbac",
    'roles[0]: there is no AccessRole "gone" yet; it grants nothing until then',
  ]);
});

const canI: readonly (readonly [caller: string, query: string, status: number, allowed: unknown])[] = [
  ["team", "action=UPDATE&type=MeshTimeout&mesh=default", 200, true],
  ["team", "action=UPDATE&type=MeshTimeout&mesh=other", 200, false],
  ["root", "action=UPDATE&type=MeshTimeout&mesh=other&user=joe&group=team", 200, false],
  ["root", "action=UPDATE&type=MeshTimeout&mesh=default&user=joe&group=x&group=team", 200, true],
  ["team", "action=UPDATE&type=MeshTimeout&mesh=default&user=root", 403, undefined],
  ["anonymous", "action=GENERATE_USER_TOKEN", 200, false],
  ["team", "action=FLY", 400, undefined],
  ["team", "action=UPDATE&type=MeshTimeot", 400, undefined],
];

for (const [caller, query, status, allowed] of canI) {
  test(`createApi() answers GET /can-i?${query} of ${caller} with ${status}${allowed === undefined ? "" : `, ${String(allowed)}`}`, async () => {
    await reset(shared);
    const reply = await as(shared, caller, ["GET", `/can-i?${query}`]);
    assert.equal(reply.status, status, reply.text);
    assert.equal(reply.json()["allowed"], allowed);
  });
}
