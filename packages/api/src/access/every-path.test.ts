import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Tokens, VerifyUserToken } from "../ports.ts";
import { FROM_ELSEWHERE } from "../testkit/http-client.ts";
import { startApi } from "../testkit/running-api.ts";

const WRITES = new Set(["put", "post", "patch", "delete"]);
const EVERYTHING = ["CREATE", "UPDATE", "DELETE", "GENERATE_DATAPLANE_TOKEN", "VIEW_CONFIG_DUMP", "VIEW_STATS"];

const verifyUserToken: VerifyUserToken = async (token) => ({ name: token, groups: [token] });
const issue = async () => ({ ok: true, token: "a.b.c" }) as const;
const tokens: Tokens = { issueDataplaneToken: issue, issueZoneToken: issue, issueUserToken: issue };
const api = await startApi({ verifyUserToken, tokens }, { accessType: "rbac", localhostIsAdmin: false });
after(() => api[Symbol.asyncDispose]());

const { store } = api.ports;
await store.create({ type: "Mesh", mesh: "", name: "other", labels: {}, spec: {} });
const rules = [{ mesh: "other", access: EVERYTHING }];
await store.create({ type: "AccessRole", mesh: "", name: "other", labels: {}, spec: { rules } });
const spec = { subjects: [{ type: "Group", name: "of-other" }], roles: ["other"] };
await store.create({ type: "AccessRoleBinding", mesh: "", name: "other", labels: {}, spec });

const { paths } = (await api.call("GET", "/openapi.json")).json() as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};
const writes = Object.entries(paths).flatMap(([path, operations]) =>
  Object.keys(operations)
    .filter((method) => WRITES.has(method))
    .map((method) => ({ method: method.toUpperCase(), path })),
);

test("the description of the API has every way to write", () => {
  assert.ok(writes.length >= 60, `${writes.length} ways`);
});

// What the table of roles.test.ts asks of some paths holds for all of them, also those that are added later.
for (const [who, token] of [
  ["a caller without identity", undefined],
  ["a user without roles", "nobody"],
  ["a user with all rights in another mesh", "of-other"],
] as const) {
  test(`no way to write is open for ${who}`, async () => {
    for (const { method, path } of writes) {
      const at = path.replaceAll("{mesh}", "default").replaceAll(/\{\w+\}/g, "web");
      const identity = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const body = method === "DELETE" ? {} : { body: path === "/tokens/dataplane" ? { mesh: "default" } : {} };
      const { status, text } = await api.call(method, at, { headers: { ...FROM_ELSEWHERE, ...identity }, ...body });
      // A plan changes nothing, and says of each document whether its asker may write it.
      const expected = token === "of-other" && path === "/plan" ? 200 : 403;
      assert.equal(status, expected, `${method} ${path}: ${status} ${text}`);
    }
  });
}
