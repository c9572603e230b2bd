import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Store } from "@heddle/model/store.ts";
import type { VerifyUserToken } from "../ports.ts";
import { DEFAULT_SETTINGS } from "../settings.ts";
import { FROM_ELSEWHERE } from "../testkit/http-client.ts";
import { proxyDocument, startApi } from "../testkit/running-api.ts";

const verifyUserToken: VerifyUserToken = async (token) => {
  switch (token) {
    case "token-of-jane":
      return { name: "jane", groups: ["dev"] };
    case "token-of-root":
      return { name: "root", groups: ["mesh-system:admin"] };
    default:
      return { reason: "the token has expired" };
  }
};

const callers = {
  localhost: {},
  anonymous: FROM_ELSEWHERE,
  jane: { ...FROM_ELSEWHERE, authorization: "Bearer token-of-jane" },
  root: { ...FROM_ELSEWHERE, authorization: "Bearer token-of-root" },
} as const;

const put = { type: "Zone", name: "east" };

/** Status for each caller, in the order localhost, anonymous, jane (a user), root (in the admin group). */
const table: readonly (readonly [method: string, path: string, body: unknown, statuses: readonly number[]])[] = [
  ["GET", "/", undefined, [200, 200, 200, 200]],
  ["GET", "/auth/config", undefined, [200, 200, 200, 200]],
  ["GET", "/config", undefined, [200, 200, 200, 200]],
  ["GET", "/zones", undefined, [200, 200, 200, 200]],
  ["GET", "/meshes/default/dataplanes", undefined, [200, 200, 200, 200]],
  ["GET", "/meshes/default/dataplanes/web/_rejections", undefined, [200, 200, 200, 200]],
  ["PUT", "/zones/east", put, [201, 403, 201, 201]],
  ["DELETE", "/meshes/default/dataplanes/web", undefined, [200, 403, 200, 200]],
  ["GET", "/globalsecrets", undefined, [200, 403, 403, 200]],
  ["GET", "/globalsecrets/x", undefined, [404, 403, 403, 404]],
  ["PUT", "/globalsecrets/x", { data: "eA==" }, [201, 403, 403, 201]],
  ["DELETE", "/globalsecrets/x", undefined, [404, 403, 403, 404]],
  ["GET", "/meshes/default/secrets", undefined, [200, 403, 403, 200]],
  ["GET", "/secrets", undefined, [200, 403, 403, 200]],
  ["PUT", "/meshes/default/secrets/x", { data: "eA==" }, [201, 403, 403, 201]],
  ["POST", "/tokens/dataplane", { mesh: "default" }, [200, 403, 403, 200]],
  ["POST", "/tokens/zone", { zone: "east" }, [200, 403, 403, 200]],
  ["POST", "/tokens/user", { name: "joe", validFor: "1h" }, [200, 403, 403, 200]],
  ["POST", "/plan", { documents: [put] }, [200, 403, 200, 200]],
  ["POST", "/plan", { documents: [{ type: "GlobalSecret", name: "x" }] }, [200, 403, 403, 200]],
  ["POST", "/plan", { deletes: [{ type: "Secret", name: "x" }] }, [200, 403, 403, 200]],
];

const issue = async () => ({ ok: true, token: "a.b.c" }) as const;
const tokens = { issueDataplaneToken: issue, issueZoneToken: issue, issueUserToken: issue };

const shared = await startApi({ verifyUserToken, tokens });
after(() => shared[Symbol.asyncDispose]());

/** The state that each call of the table meets: a proxy "web", and nothing else beside the mesh. */
async function reset(store: Store): Promise<void> {
  const { networking } = proxyDocument("web");
  const web = { type: "Dataplane", mesh: "default", name: "web", labels: {}, spec: { networking } };
  if ((await store.get(web)) === undefined) await store.create(web);
  for (const type of ["Zone", "GlobalSecret", "Secret"]) {
    for (const key of (await store.list({ type })).items) await store.delete(key);
  }
}

for (const [method, path, body, statuses] of table) {
  for (const [index, [name, headers]] of Object.entries(callers).entries()) {
    test(`createApi() answers ${method} ${path} of ${name} with ${statuses[index]}`, async () => {
      await reset(shared.ports.store);
      const reply = await shared.call(method, path, { headers, ...(body === undefined ? {} : { body }) });
      assert.equal(reply.status, statuses[index], reply.text);
    });
  }
}

test("createApi() says why a write of an anonymous caller is refused and what to do", async () => {
  await using api = await startApi();
  const reply = await api.call("PUT", "/zones/east", { body: put, headers: FROM_ELSEWHERE });
  const detail =
    'user "mesh-system:anonymous/mesh-system:unauthenticated" cannot write resources: ' +
    "apiServer.authn.anonymousWrites is false; send a user token (authorization: Bearer ...), " +
    "or call from the control plane's machine";
  assert.deepEqual(reply.json(), { type: "/std-errors", status: 403, title: "Access Denied", detail, details: detail });
});

test("createApi() lets anonymous callers write when anonymousWrites is on, yet not touch secrets", async () => {
  await using api = await startApi({}, { anonymousWrites: true });
  assert.equal((await api.call("PUT", "/zones/east", { body: put, headers: FROM_ELSEWHERE })).status, 201);
  const secret = { body: { data: "eA==" }, headers: FROM_ELSEWHERE };
  assert.equal((await api.call("PUT", "/globalsecrets/x", secret)).status, 403);
});

test("createApi() refuses a bad token with the reason, whatever it is sent to, but for the index", async () => {
  await using api = await startApi({ verifyUserToken });
  const headers = { ...FROM_ELSEWHERE, authorization: "Bearer old" };
  const reply = await api.call("GET", "/zones", { headers });
  assert.equal(reply.headers["www-authenticate"], "Bearer");
  assert.deepEqual(reply.json(), {
    type: "/std-errors",
    status: 401,
    title: "Invalid authentication data",
    detail: "the token has expired",
    details: "the token has expired",
  });
  assert.equal((await api.call("GET", "/", { headers })).status, 200);
});

test("createApi() does not look at the token of a local caller, who is admin already", async () => {
  await using api = await startApi({ verifyUserToken });
  const reply = await api.call("GET", "/who-am-i", { headers: { authorization: "Bearer old" } });
  assert.equal(reply.json()["name"], "mesh-system:admin");
});

test("createApi() adds the group of everybody with an identity to a token's user", async () => {
  await using api = await startApi({ verifyUserToken });
  const reply = await api.call("GET", "/who-am-i", { headers: callers.jane });
  assert.deepEqual(reply.json(), { name: "jane", groups: ["dev", "mesh-system:authenticated"] });
});

test("createApi() follows the access lists of the settings", async () => {
  const access = { ...DEFAULT_SETTINGS.access, controlPlaneMetadata: { users: ["jane"], groups: [] } };
  await using api = await startApi({ verifyUserToken }, { access });
  assert.equal((await api.call("GET", "/config", { headers: callers.jane })).status, 200);
  const refused = await api.call("GET", "/config", { headers: callers.anonymous });
  assert.equal(refused.status, 403);
  assert.match(
    String(refused.json()["detail"]),
    /access\.static\.controlPlaneMetadata allows user jane; send a user token/,
  );
});

test("createApi() decides who may write before it reads the body", async () => {
  await using api = await startApi();
  const reply = await api.call("PUT", "/zones/east", { body: "[".repeat(100_000), headers: FROM_ELSEWHERE });
  assert.equal(reply.status, 403);
});

test("createApi() tells everybody where to log in, and nothing beside that", async () => {
  await using without = await startApi();
  assert.deepEqual((await without.call("GET", "/auth/config")).json(), {});
  const oidc = { issuer: "https://login.example.com", clientId: "heddle", audience: "mesh" };
  await using api = await startApi({ verifyUserToken, login: { oidc: { ...oidc, more: "inside" } as typeof oidc } });
  const headers = { ...FROM_ELSEWHERE, authorization: "Bearer old" };
  const reply = await api.call("GET", "/auth/config", { headers });
  assert.deepEqual([reply.status, reply.json()], [200, { oidc }]);
});
