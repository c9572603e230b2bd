import assert from "node:assert/strict";
import { test } from "node:test";
import type { AccessAuditSpec } from "@heddle/model/kinds/access.ts";
import type { Tokens, VerifyUserToken } from "../ports.ts";
import type { ApiSettings } from "../settings.ts";
import { FROM_ELSEWHERE, type Reply } from "../testkit/http-client.ts";
import { proxyDocument, startApi } from "../testkit/running-api.ts";
import { type AuditQuestion, type AuditRecord, isAudited } from "./record.ts";

const DATA = Buffer.from("hunter2-is-the-password").toString("base64");
const ISSUED = "issued-token-text";
const verifyUserToken: VerifyUserToken = async (token) =>
  token === "jane-token" ? { name: "jane", groups: ["dev"] } : { reason: "the token has expired" };
const issue = async () => ({ ok: true, token: ISSUED }) as const;
const tokens: Tokens = { issueDataplaneToken: issue, issueZoneToken: issue, issueUserToken: issue };
const JANE = { ...FROM_ELSEWHERE, authorization: "Bearer jane-token" };

interface Audited extends AsyncDisposable {
  readonly records: AuditRecord[];
  call(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Reply>;
}

async function startAudited(rules: AccessAuditSpec["rules"], settings: Partial<ApiSettings> = {}): Promise<Audited> {
  const records: AuditRecord[] = [];
  const audit = { record: async (record: AuditRecord) => void records.push(record) };
  const api = await startApi({ verifyUserToken, tokens, audit }, settings);
  const answer = await api.call("PUT", "/access-audits/all", { body: { type: "AccessAudit", name: "all", rules } });
  assert.equal(answer.status, 201, answer.text);
  // Its own creation is recorded once the store has told of it, which may be before or after the answer.
  records.length = 0;
  return {
    records,
    call: (method, path, body, headers = {}) =>
      api.call(method, path, { headers, ...(body === undefined ? {} : { body }) }),
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

const web = proxyDocument("web");
const secretBody = { type: "Secret", mesh: "default", name: "key", data: DATA };
const SECRET = "/meshes/default/secrets/key";
const brief = ({ user, action, resource, outcome, status }: AuditRecord): string =>
  `${user.name} ${action} ${resource.type ?? "-"} ${resource.mesh ?? "-"}/${resource.name ?? "-"} ${outcome} ${status}`;

test("createApi() records every write, token, look into a proxy and read of a secret, refused ones too", async () => {
  await using api = await startAudited([{ accessAll: true }]);
  await api.call("PUT", "/meshes/default/dataplanes/web", web);
  await api.call("PUT", "/meshes/default/dataplanes/web", web);
  await api.call("PUT", "/meshes/default/dataplanes/web", web, FROM_ELSEWHERE);
  await api.call("PUT", "/meshes/default/dataplanes/new", web, FROM_ELSEWHERE);
  await api.call("PUT", "/meshes/default/dataplanes/bad", { type: "Dataplane", nonsense: 1 }, JANE);
  await api.call("DELETE", "/meshes/default/dataplanes/web", undefined, JANE);
  await api.call("DELETE", "/meshes/default/dataplanes/web", undefined, {
    ...FROM_ELSEWHERE,
    authorization: "Bearer x",
  });
  await api.call("PUT", SECRET, secretBody);
  await api.call("GET", SECRET);
  await api.call("GET", SECRET, undefined, JANE);
  await api.call("GET", "/meshes/default/secrets");
  await api.call("POST", "/tokens/dataplane", { mesh: "default", name: "web" });
  await api.call("POST", "/tokens/user", { name: "joe", groups: ["x"], validFor: "1h" });
  await api.call("POST", "/tokens/zone", { zone: "east" }, JANE);
  await api.call("GET", "/meshes/default/dataplanes/web/xds");
  await api.call("GET", "/config");
  assert.deepEqual(api.records.map(brief), [
    "mesh-system:admin CREATE Dataplane default/web created 201",
    "mesh-system:admin UPDATE Dataplane default/web unchanged 200",
    "mesh-system:anonymous UPDATE Dataplane default/web refused 403",
    "mesh-system:anonymous CREATE Dataplane default/new refused 403",
    "jane CREATE Dataplane default/bad failed 400",
    "jane DELETE Dataplane default/web deleted 200",
    "mesh-system:anonymous DELETE Dataplane default/web refused 401",
    "mesh-system:admin CREATE Secret default/key created 201",
    "mesh-system:admin VIEW_SECRET Secret default/key done 200",
    "jane VIEW_SECRET Secret default/key refused 403",
    "mesh-system:admin VIEW_SECRET Secret default/- done 200",
    "mesh-system:admin GENERATE_DATAPLANE_TOKEN - default/web done 200",
    "mesh-system:admin GENERATE_USER_TOKEN - -/joe done 200",
    // Refused before the body is read, so whom it was for is not known.
    "jane GENERATE_ZONE_TOKEN - -/- refused 403",
    "mesh-system:admin VIEW_CONFIG_DUMP Dataplane default/web failed 404",
    "mesh-system:admin VIEW_CONTROL_PLANE_METADATA - -/- done 200",
  ]);
  const text = JSON.stringify(api.records);
  for (const secret of [DATA, "hunter2", ISSUED, "jane-token"]) assert.ok(!text.includes(secret), secret);
});

test("createApi() records who, from where, at which revision, and why not", async () => {
  await using api = await startAudited([{ access: ["CREATE"] }]);
  const created = await api.call(
    "PUT",
    "/zones/east",
    { type: "Zone", name: "east" },
    { ...JANE, "x-request-id": "r-1" },
  );
  await api.call("PUT", "/zones/west", { type: "Zone", name: "west" }, { ...FROM_ELSEWHERE, "x-request-id": "a\tb" });
  const [first, second] = api.records;
  assert.match(first?.time ?? "", /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.deepEqual(first, {
    time: first?.time,
    requestId: "r-1",
    user: { name: "jane", groups: ["dev", "mesh-system:authenticated"] },
    action: "CREATE",
    resource: { type: "Zone", name: "east" },
    outcome: "created",
    status: 201,
    revision: Number(created.headers["heddle-revision"]),
    address: "127.0.0.1",
    forwardedFor: "203.0.113.7",
    instance: "cp-1-7f3a",
  });
  assert.match(second?.requestId ?? "", /^[0-9a-f-]{36}$/);
  assert.match(second?.reason ?? "", /anonymousWrites is false/);
  assert.equal(second?.revision, undefined);
});

test("createApi() does not record what no audit asks for", async () => {
  await using api = await startAudited([{ types: ["Mesh"], access: ["UPDATE"] }]);
  await api.call("PUT", "/zones/east", { type: "Zone", name: "east" });
  await api.call("POST", "/plan", { documents: [{ type: "Zone", name: "x" }] });
  await api.call("GET", "/zones");
  assert.deepEqual(api.records, []);
});

const questions: readonly (readonly [string, AccessAuditSpec["rules"][number], AuditQuestion, boolean])[] = [
  ["everything", { accessAll: true }, { action: "VIEW_STATS", mesh: "m" }, true],
  ["an action by name", { access: ["DELETE"] }, { action: "DELETE", type: "Mesh" }, true],
  ["another action", { access: ["DELETE"] }, { action: "CREATE", type: "Mesh" }, false],
  ["the type", { types: ["Mesh"], accessAll: true }, { action: "CREATE", type: "Mesh" }, true],
  ["another type", { types: ["Mesh"], accessAll: true }, { action: "CREATE", type: "Zone" }, false],
  [
    "an action on no type when all of a type are asked for",
    { types: ["Mesh"], accessAll: true },
    { action: "GENERATE_USER_TOKEN" },
    false,
  ],
  [
    "an action on no type by name",
    { types: ["Mesh"], access: ["GENERATE_USER_TOKEN"] },
    { action: "GENERATE_USER_TOKEN" },
    true,
  ],
  ["the mesh", { mesh: "m", accessAll: true }, { action: "GENERATE_DATAPLANE_TOKEN", mesh: "m" }, true],
  ["another mesh", { mesh: "m", accessAll: true }, { action: "GENERATE_DATAPLANE_TOKEN", mesh: "n" }, false],
  ["what is in no mesh", { mesh: "m", accessAll: true }, { action: "CREATE", type: "Zone" }, false],
];

for (const [what, rule, question, expected] of questions) {
  test(`isAudited() ${expected ? "wants" : "leaves out"} ${what}`, () => {
    assert.equal(isAudited([{ rules: [rule] }], question), expected);
  });
}
