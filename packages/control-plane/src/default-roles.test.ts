import assert from "node:assert/strict";
import { request } from "node:https";
import { createServerCertificate } from "@heddle/identity/server-certificate.ts";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { loadConfig, settings } from "./config.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { createLog } from "./log.ts";
import { Secrets } from "./secrets.ts";
import { TokenService } from "./identity/token-service.ts";

async function start(t: TestContext, flags: Readonly<Record<string, unknown>>): Promise<ControlPlane> {
  const free = Object.fromEntries(settings.filter(({ name }) => name.endsWith("Port")).map(({ name }) => [name, 0]));
  const config = loadConfig({ env: {}, flags: { storeType: "memory", logLevel: "off", ...free, ...flags } });
  assert.ok(config.ok, JSON.stringify(config));
  const controlPlane = await startControlPlane(config.value, createLog(config.value));
  t.after(() => controlPlane[Symbol.asyncDispose]());
  return controlPlane;
}

type Headers = Readonly<Record<string, string>>;

async function status(
  url: string,
  [method, path, body]: readonly [string, string, unknown?],
  headers: Headers,
): Promise<number> {
  const json = body === undefined ? {} : { "content-type": "application/json" };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(`${url}${path}`, { method, headers: { ...json, ...headers }, ...sent });
  await response.text();
  return response.status;
}

// 404 where the proxy is not there says that the caller may look.
const PROXY = "/meshes/default/dataplanes/nobody";
const calls: readonly (readonly [string, string, unknown?])[] = [
  ["GET", "/config"],
  ["PUT", "/zones/east", { type: "Zone", name: "east" }],
  ["PUT", "/meshes/third", { type: "Mesh", name: "third" }],
  ["DELETE", "/zones/east"],
  ["PUT", "/globalsecrets/x", { data: "eA==" }],
  ["GET", "/globalsecrets"],
  ["POST", "/tokens/dataplane", { mesh: "default" }],
  ["POST", "/tokens/zone", { zone: "east" }],
  ["POST", "/tokens/user", { name: "joe", validFor: "1h" }],
  ["GET", `${PROXY}/xds`],
  ["GET", `${PROXY}/stats`],
  ["GET", `${PROXY}/clusters`],
];

/** What an operator may have written into the lists; administrators stay who they are. */
const lists: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "the default lists": {},
  "lists that let a user and a group issue tokens": {
    dpTokenUsers: "jane",
    dpTokenGroups: "mesh-system:admin,mesh-system:unauthenticated",
    zoneTokenUsers: "jane",
    zoneTokenGroups: "mesh-system:admin",
    userTokenGroups: "mesh-system:admin,mesh-system:authenticated",
  },
  "lists that keep everything for administrators and one user": {
    configDumpGroups: "mesh-system:admin",
    statsUsers: "jane",
    statsGroups: "mesh-system:admin",
    clustersGroups: "mesh-system:admin",
    metadataUsers: "jane",
    metadataGroups: "mesh-system:admin",
  },
};

for (const [what, flags] of Object.entries(lists)) {
  test(`createDefaultRoles() makes roles by which everybody may do what ${what} let them`, async (t) => {
    const table: Record<string, (readonly number[])[]> = {};
    for (const accessType of ["static", "rbac"]) {
      const { apiUrl, store } = await start(t, { accessType, ...flags });
      const tokens = new TokenService(new Secrets(store), () => new Date());
      const jane = await tokens.issueUserToken({ name: "jane", groups: [], validForMillis: 60_000 });
      assert.ok(jane.ok);
      const elsewhere = { "x-forwarded-for": "203.0.113.7" };
      const callers = [{}, { ...elsewhere, authorization: `Bearer ${jane.token}` }, elsewhere];
      table[accessType] = [];
      for (const call of calls) {
        const answers: number[] = [];
        for (const headers of callers) answers.push(await status(apiUrl, call, headers));
        table[accessType].push(answers);
      }
    }
    assert.deepEqual(table["rbac"], table["static"]);
    assert.deepEqual(table["rbac"]?.[4], [201, 403, 403]);
  });
}

test("createDefaultRoles() keeps the roles themselves for administrators", async (t) => {
  const { apiUrl, store } = await start(t, { accessType: "rbac" });
  const tokens = new TokenService(new Secrets(store), () => new Date());
  const jane = await tokens.issueUserToken({ name: "jane", groups: [], validForMillis: 60_000 });
  assert.ok(jane.ok);
  const role = { type: "AccessRole", name: "mine", rules: [{ access: ["CREATE"] }] };
  const call = ["PUT", "/access-roles/mine", role] as const;
  const headers = { "x-forwarded-for": "203.0.113.7", authorization: `Bearer ${jane.token}` };
  assert.equal(await status(apiUrl, call, headers), 403);
  assert.equal(await status(apiUrl, call, {}), 201);
});

test("ROTATE_CA: without it a rotation is 403 that names the right, with it the rotation begins", async (t) => {
  const { apiUrl, store } = await start(t, { accessType: "rbac" });
  const ca = { name: "ca-1", type: "builtin" };
  const secured = { type: "Mesh", name: "default", mtls: { enabledBackend: "ca-1", backends: [ca] } };
  assert.equal(await status(apiUrl, ["PUT", "/meshes/default", secured], {}), 200);
  const jane = await new TokenService(new Secrets(store), () => new Date()).issueUserToken({
    name: "jane",
    groups: [],
    validForMillis: 60_000,
  });
  assert.ok(jane.ok);
  const headers = { "x-forwarded-for": "203.0.113.7", authorization: `Bearer ${jane.token}` };
  const rotate = (): Promise<Response> =>
    fetch(`${apiUrl}/meshes/default/ca-rotations`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: "{}",
    });
  const refused = await rotate();
  assert.equal(refused.status, 403);
  assert.match(await refused.text(), /ROTATE_CA/);
  const role = { type: "AccessRole", name: "rotator", rules: [{ mesh: "default", access: ["ROTATE_CA"] }] };
  const binding = {
    type: "AccessRoleBinding",
    name: "rotators",
    subjects: [{ type: "User", name: "jane" }],
    roles: ["rotator"],
  };
  assert.equal(await status(apiUrl, ["PUT", "/access-roles/rotator", role], {}), 201);
  assert.equal(await status(apiUrl, ["PUT", "/access-role-bindings/rotators", binding], {}), 201);
  const begun = await rotate();
  assert.equal(begun.status, 200, await begun.text());
  // The right to rotate is no right to issue tokens.
  assert.equal(await status(apiUrl, ["POST", "/tokens/dataplane", { mesh: "default" }], headers), 403);
});

test("createDefaultRoles() gives administrators their role when only others are bound", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "default-roles-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const where = { storeType: "sqlite", dataFolder: join(folder, "data") };
  const before = await start(t, where);
  const subjects = [{ type: "Group", name: "team" }];
  const body = { type: "AccessRoleBinding", name: "team", subjects, roles: ["team"] };
  assert.equal(await status(before.apiUrl, ["PUT", "/access-role-bindings/team", body], {}), 201);
  await before[Symbol.asyncDispose]();
  const { apiUrl, store } = await start(t, { ...where, accessType: "rbac" });
  assert.equal(await status(apiUrl, ["PUT", "/zones/east", { type: "Zone", name: "east" }], {}), 201);
  const { items } = await store.list({ type: "AccessRoleBinding" });
  assert.deepEqual(
    items.map(({ name }) => name),
    ["default", "team"],
  );
});

test("localhostIsAdmin: false takes a caller on this machine for nobody", async (t) => {
  const { apiUrl } = await start(t, { localhostIsAdmin: "false" });
  assert.equal(await status(apiUrl, ["GET", "/globalsecrets"], {}), 403);
  assert.equal(await status(apiUrl, ["PUT", "/zones/east", { type: "Zone", name: "east" }], {}), 403);
});

async function certificateOf(commonName: string, usage: "server" | "client"): Promise<{ cert: string; key: string }> {
  const made = await createServerCertificate({
    usage,
    commonName,
    hosts: usage === "server" ? ["localhost"] : [],
    keyType: "ecdsa-p256",
    validitySeconds: 3_600,
    now: new Date(),
  });
  assert.ok(made.ok, JSON.stringify(made));
  return { cert: made.value.certificatePem, key: made.value.keyPem };
}

async function whoAmI(url: string, ca: string, identity: { cert?: string; key?: string }): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const headers = { "x-forwarded-for": "203.0.113.7" };
  const options = {
    ca,
    ...identity,
    headers,
    agent: false,
    servername: "localhost",
    checkServerIdentity: () => undefined,
  };
  const call = request(`${url}/who-am-i`, options, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (part: string) => (text += part));
    response.on("end", () => resolve((JSON.parse(text) as { name: string }).name));
  });
  call.on("error", reject).end();
  return await promise;
}

test("a client certificate of tlsCaFile names its user; another one names nobody, or is turned away", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "client-certificates-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const jane = await certificateOf("jane", "client");
  const mallory = await certificateOf("mesh-system:admin", "client");
  const apiHttpsCaFile = join(folder, "ca.pem");
  await writeFile(apiHttpsCaFile, jane.cert);
  const asked = await start(t, { apiHttpsCaFile });
  const url = (asked.apiHttpsUrl ?? "").replace("0.0.0.0", "127.0.0.1");
  assert.equal(await whoAmI(url, asked.caPem, jane), "jane");
  assert.equal(await whoAmI(url, asked.caPem, mallory), "mesh-system:anonymous");
  assert.equal(await whoAmI(url, asked.caPem, {}), "mesh-system:anonymous");

  const required = await start(t, { apiHttpsCaFile, apiHttpsRequireClientCert: "true" });
  const strict = (required.apiHttpsUrl ?? "").replace("0.0.0.0", "127.0.0.1");
  assert.equal(await whoAmI(strict, required.caPem, jane), "jane");
  await assert.rejects(whoAmI(strict, required.caPem, mallory));
  await assert.rejects(whoAmI(strict, required.caPem, {}));
});
