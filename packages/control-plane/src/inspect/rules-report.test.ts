import assert from "node:assert/strict";
import { test } from "node:test";
import type { Meta, PolicyRules, RulesReport } from "@heddle/api/reports.ts";
import { Lab } from "./testkit/lab.ts";
import { LABELLED, LABELLED_POLICIES, TAGGED, TAGGED_POLICIES } from "./testkit/meshes.ts";

const web = { mesh: "default", name: "web-1" };
const backend = { mesh: "default", name: "backend-1" };

async function rulesOf(lab: Lab, proxy: typeof web): Promise<RulesReport> {
  const report = await lab.inspect.rules(proxy);
  assert.ok(report);
  return report;
}

function ofType({ rules }: RulesReport, type: string): PolicyRules | undefined {
  return rules.find((each) => each.type === type);
}

function meta(type: string, name: string, shortName: string): Meta {
  return { type, mesh: "default", name, labels: {}, kri: `kri_${shortName}_default___${name}_` };
}

const mesh: Meta = { type: "Mesh", mesh: "", name: "default", labels: {}, kri: "kri_m____default_" };

test("rules() lists what is said about the mesh, services and routes, each with all that applies there", async () => {
  await using lab = new Lab();
  await lab.write(`${LABELLED}---${LABELLED_POLICIES}`);
  const timeout = meta("MeshTimeout", "going-out", "mt");
  const origin = (...rules: number[]) => rules.map((ruleIndex) => ({ resourceMeta: timeout, ruleIndex }));
  const conf = (requestTimeout: string) => [{ connectionTimeout: "3s", http: { requestTimeout } }];
  assert.deepEqual(ofType(await rulesOf(lab, web), "MeshTimeout"), {
    type: "MeshTimeout",
    toResourceRules: [
      { resourceMeta: mesh, conf: conf("7s"), origin: origin(0) },
      {
        resourceMeta: meta("MeshService", "backend", "msvc"),
        resourceSectionName: "main",
        conf: conf("5s"),
        origin: origin(0, 1),
      },
      { resourceMeta: meta("MeshHTTPRoute", "split", "mhttpr"), conf: conf("2s"), origin: origin(0, 2) },
    ],
    inboundRules: [],
    warnings: [],
  });
});

test("rules() lists inbound rules for some callers before those for everybody", async () => {
  await using lab = new Lab();
  await lab.write(`${LABELLED}---${LABELLED_POLICIES}`);
  const timeout = meta("MeshTimeout", "coming-in", "mt");
  const report = await rulesOf(lab, backend);
  const inbound = { name: "http", port: 10002, tags: {} };
  assert.deepEqual(ofType(report, "MeshTimeout")?.inboundRules, [
    {
      inbound,
      rules: [
        {
          match: { spiffeID: { type: "Exact", value: "spiffe://default/web" } },
          conf: [{ http: { requestTimeout: "1s" } }],
          origin: [{ resourceMeta: timeout, ruleIndex: 1 }],
        },
        { conf: [{ idleTimeout: "9s" }], origin: [{ resourceMeta: timeout, ruleIndex: 0 }] },
      ],
    },
  ]);
  assert.equal(ofType(report, "MeshHTTPRoute"), undefined, "a kind of which no policy selects the proxy");
});

test("rules() keeps permissions of several policies apart", async () => {
  await using lab = new Lab();
  const more = `
type: MeshTrafficPermission
mesh: default
name: more
spec: { rules: [{ default: { allow: [{ spiffeID: { type: Exact, value: "spiffe://default/more" } }] } }] }
`;
  await lab.write(`${LABELLED}---${LABELLED_POLICIES}---${more}`);
  const [inbound] = ofType(await rulesOf(lab, backend), "MeshTrafficPermission")?.inboundRules ?? [];
  assert.equal(inbound?.rules.length, 1);
  assert.deepEqual(
    inbound?.rules[0]?.origin.map(({ resourceMeta }) => resourceMeta.name),
    ["shops", "more"],
  );
  assert.equal(inbound?.rules[0]?.conf.length, 2);
});

test("rules() gives the matches of routes under a hash", async () => {
  await using lab = new Lab();
  await lab.write(`${LABELLED}---${LABELLED_POLICIES}`);
  const report = await rulesOf(lab, web);
  const matches = [{ path: { type: "PathPrefix", value: "/next" } }, { method: "POST" }];
  assert.deepEqual(
    report.httpMatches.map(({ match }) => match),
    [matches],
  );
  assert.match(report.httpMatches[0]?.hash ?? "", /^[0-9a-f]{16}$/);
  const backendRefs = [{ kind: "MeshService", name: "backend-next", port: 80 }];
  assert.deepEqual(ofType(report, "MeshHTTPRoute")?.toResourceRules[0]?.conf, [
    { rules: [{ matches, default: { backendRefs } }] },
  ]);
});

test("rules() lists Kuma 2.x callers by their tags, also those that several groups mean", async () => {
  await using lab = new Lab();
  await lab.write(`${TAGGED}---${TAGGED_POLICIES}`);
  const permission = ofType(await rulesOf(lab, backend), "MeshTrafficPermission");
  assert.deepEqual(permission?.inboundRules, []);
  const [first] = permission?.fromRules ?? [];
  assert.deepEqual(first?.inbound, {
    name: "10002",
    port: 10002,
    tags: { "kuma.io/service": "backend", "kuma.io/protocol": "http", version: "v1" },
  });
  const said = first?.rules.map(({ matchers, conf }) => [matchers.map(({ key, value }) => `${key}=${value}`), conf]);
  assert.deepEqual(said, [
    [["kuma.io/service=spy", "team=shop"], { action: "Deny" }],
    [["team=shop"], { action: "Allow" }],
    [["kuma.io/service=spy"], { action: "Deny" }],
    [[], { action: "Deny" }],
  ]);
  assert.deepEqual(first?.rules[0]?.origin, [meta("MeshTrafficPermission", "some", "mtp")]);
});

test("rules() lists Kuma 2.x destinations by their tags, and warns of one that does not exist", async () => {
  await using lab = new Lab();
  await lab.write(`${TAGGED}---${TAGGED_POLICIES}`);
  const timeout = ofType(await rulesOf(lab, web), "MeshTimeout");
  const conf = (requestTimeout: string) => ({ connectionTimeout: "3s", http: { requestTimeout } });
  const origin = [meta("MeshTimeout", "slow", "mt")];
  assert.deepEqual(timeout?.toRules, [
    { matchers: [{ key: "kuma.io/service", value: "backend", not: false }], conf: conf("5s"), origin },
    { matchers: [], conf: conf("7s"), origin },
  ]);
  assert.deepEqual(timeout?.warnings, [
    'MeshTimeout "slow": to[2].targetRef names MeshService gone, which does not exist',
  ]);
});

test("rules() of a proxy that is not there is undefined", async () => {
  await using lab = new Lab();
  await lab.write(LABELLED);
  assert.equal(await lab.inspect.rules({ mesh: "default", name: "nobody" }), undefined);
  assert.equal(await lab.inspect.rules({ mesh: "nowhere", name: "web-1" }), undefined);
});
