import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlannedChanges } from "./ports.ts";
import { SILENT_INSPECT } from "./testkit/fake-ports.ts";
import { proxyDocument, startApi } from "./testkit/running-api.ts";

const change = {
  mesh: "default",
  name: "web",
  changes: [{ typeUrl: "x/Cluster", name: "web", change: "changed" }],
} as const;

async function planner() {
  const asked: PlannedChanges[] = [];
  const plan = async (changes: PlannedChanges) => {
    asked.push(changes);
    return [change];
  };
  return { api: await startApi({ inspect: { ...SILENT_INSPECT, plan } }), asked };
}

function outcomes(answer: Record<string, unknown>): readonly string[] {
  const documents = answer["documents"] as { type: string; name: string; outcome: string }[];
  return documents.map(({ type, name, outcome }) => `${type} ${name} ${outcome}`);
}

test("POST /plan judges documents as PUT would, asks the engine for the rest, and writes nothing", async () => {
  const { api, asked } = await planner();
  await using _ = api;
  await api.call("PUT", "/zones/east", { body: { enabled: true } });
  await api.call("PUT", "/zones/west", { body: { enabled: true } });
  await api.call("PUT", "/zones/north", { body: {} });
  const revision = await api.ports.store.revision();

  const body = {
    documents: [
      { type: "Zone", name: "east", enabled: true },
      { type: "Zone", name: "west", enabled: false },
      { type: "Zone", name: "south" },
      { type: "Zone", name: "odd", enabld: true },
    ],
    deletes: [
      { type: "Zone", name: "north" },
      { type: "Zone", name: "nowhere" },
    ],
    diff: true,
  };
  const answer = (await api.call("POST", "/plan", { body })).json();
  assert.deepEqual(outcomes(answer), [
    "Zone east unchanged",
    "Zone west updated",
    "Zone south created",
    "Zone odd invalid",
    "Zone north deleted",
    "Zone nowhere invalid",
  ]);
  const documents = answer["documents"] as { violations: object[] }[];
  assert.deepEqual(documents[3]?.violations, [{ field: "enabld", message: 'unknown field, did you mean "enabled"?' }]);
  assert.deepEqual(answer["proxies"], [change]);
  assert.deepEqual(
    asked.map(({ puts, deletes, diff }) => [puts.map((put) => put.name), deletes.map((key) => key.name), diff]),
    [[["west", "south"], ["north"], true]],
  );
  assert.equal(await api.ports.store.revision(), revision);
});

test("POST /plan sees each document as if those before it were written", async () => {
  const { api } = await planner();
  await using _ = api;
  const body = {
    documents: [
      proxyDocument("early", { mesh: "shop" }),
      { type: "Mesh", name: "shop" },
      proxyDocument("web", { mesh: "shop" }),
      { type: "MeshTimeout", mesh: "shop", name: "t", spec: { targetRef: { kind: "Dataplane", name: "web" }, to: [] } },
      { type: "MeshTimeout", mesh: "shop", name: "u", spec: { targetRef: { kind: "Dataplane", name: "xyz" }, to: [] } },
    ],
    deletes: [
      { type: "Mesh", name: "shop" },
      { type: "Dataplane", mesh: "shop", name: "web" },
      { type: "Mesh", name: "shop" },
    ],
  };
  const answer = (await api.call("POST", "/plan", { body })).json();
  assert.deepEqual(outcomes(answer), [
    "Dataplane early invalid",
    "Mesh shop created",
    "Dataplane web created",
    "MeshTimeout t created",
    "MeshTimeout u created",
    "Mesh shop invalid",
    "Dataplane web deleted",
    "Mesh shop deleted",
  ]);
  const documents = answer["documents"] as { violations: { message: string }[]; warnings: string[] }[];
  assert.match(documents[0]?.violations[0]?.message ?? "", /^there is no mesh "shop"/);
  assert.deepEqual(documents[3]?.warnings, []);
  assert.match(documents[4]?.warnings[0] ?? "", /the policy selects no proxy now$/);
  assert.match(documents[5]?.violations[0]?.message ?? "", /dataplanes attached: web/);
});

test("POST /plan does not bother the engine when nothing would change", async () => {
  const { api, asked } = await planner();
  await using _ = api;
  const answer = (await api.call("POST", "/plan", { body: { documents: [{ type: "Zoen" }, null, 7] } })).json();
  assert.deepEqual(outcomes(answer), ["Zoen  invalid", "  invalid", "  invalid"]);
  assert.deepEqual([answer["proxies"], asked], [[], []]);
});

test("POST /plan reports read-only kinds as invalid documents", async () => {
  const { api } = await planner();
  await using __ = api;
  const body = { documents: [{ type: "DataplaneInsight", name: "web" }] };
  const [document] = (await api.call("POST", "/plan", { body })).json()["documents"] as { violations: object[] }[];
  const message = "Cannot write here: Data Plane Insights are written by the control plane only";
  assert.deepEqual(document?.violations, [{ field: "type", message }]);
});

test("POST /plan names what is wrong with the plan itself", async () => {
  const { api } = await planner();
  await using _ = api;
  const reply = await api.call("POST", "/plan", { body: { document: [] } });
  assert.deepEqual(
    [reply.status, reply.json()["invalid_parameters"]],
    [400, [{ field: "document", reason: 'unknown field, did you mean "documents"?' }]],
  );
});
