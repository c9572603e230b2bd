import assert from "node:assert/strict";
import { test } from "node:test";
import type { AccessReport } from "@heddle/api/reports.ts";
import { Lab } from "./testkit/lab.ts";
import { LABELLED, TAGGED } from "./testkit/meshes.ts";

type Answer = AccessReport["inbounds"][number];

const backend = { mesh: "default", name: "backend-1" };

/** The answer for the first inbound of backend-1. */
async function ask(lab: Lab, from: string): Promise<Answer> {
  const [answer] = (await lab.inspect.access(backend, from))?.inbounds ?? [];
  assert.ok(answer, "backend-1 has an inbound");
  return answer;
}

function permission(name: string, spec: string): string {
  return `---\ntype: MeshTrafficPermission\nmesh: default\nname: ${name}\nspec: ${spec}\n`;
}

const allowPrefix = '{ rules: [{ default: { allow: [{ spiffeID: { type: Prefix, value: "spiffe://default/" } }] } }] }';
const denyWeb = '{ rules: [{ default: { deny: [{ spiffeID: { type: Exact, value: "spiffe://default/web" } }] } }] }';

test("access() says that nothing allows a caller, and its fix, applied as it is, lets the caller in", async () => {
  await using lab = new Lab();
  await lab.write(LABELLED);
  const { fix, ...denied } = await ask(lab, "web-1");
  assert.deepEqual(denied, {
    inbound: "http",
    port: 10002,
    decision: "deny",
    reason:
      'no MeshTrafficPermission of mesh "default" allows spiffe://default/web to call inbound http of "backend-1"',
    origins: [],
  });
  assert.equal(
    fix,
    `type: MeshTrafficPermission
mesh: default
name: allow-web-to-backend
spec:
  targetRef:
    kind: Dataplane
    labels:
      app: backend
    sectionName: http
  rules:
    - default:
        allow:
          - spiffeID:
              type: Exact
              value: spiffe://default/web
`,
  );
  await lab.write(fix);
  assert.deepEqual(await ask(lab, "web-1"), {
    inbound: "http",
    port: 10002,
    decision: "allow",
    reason:
      'MeshTrafficPermission "allow-web-to-backend" allows spiffe://default/web to call inbound http of "backend-1"',
    origins: ["kri_mtp_default___allow-web-to-backend_"],
  });
});

test("access() writes its fix with `from` where `from` decides, so that it silences nobody else's", async () => {
  await using lab = new Lab();
  const others =
    "{ from: [{ targetRef: { kind: MeshSubset, tags: { kuma.io/service: other } }, default: { action: Allow } }] }";
  await lab.write(TAGGED + permission("other", others));
  const { fix = "", decision } = await ask(lab, "web-1");
  assert.equal(decision, "deny");
  assert.match(fix, /from:\n +- targetRef:\n +kind: MeshSubset\n +tags:\n +kuma.io\/service: web\n/);
  await lab.write(fix);
  assert.equal((await ask(lab, "web-1")).decision, "allow");
  assert.equal((await ask(lab, "spiffe://default/other")).decision, "allow");
});

test("access() names the policy that forbids, and says so when no other can outweigh it", async () => {
  await using lab = new Lab();
  await lab.write(LABELLED + permission("all", allowPrefix) + permission("not-web", denyWeb));
  assert.deepEqual(await ask(lab, "web-1"), {
    inbound: "http",
    port: 10002,
    decision: "deny",
    reason: 'MeshTrafficPermission "not-web" forbids spiffe://default/web to call inbound http of "backend-1"',
    origins: ["kri_mtp_default___not-web_"],
    fix: 'change MeshTrafficPermission "not-web": no other MeshTrafficPermission outweighs what it forbids',
  });
  assert.equal((await ask(lab, "spiffe://default/shop")).decision, "allow");
});

test("access() tells that a caller gets in and is counted as if it did not", async () => {
  await using lab = new Lab();
  const shadow = denyWeb.replace("deny:", "allowWithShadowDeny:");
  await lab.write(LABELLED + permission("all", allowPrefix) + permission("not-web-soon", shadow));
  assert.deepEqual(await ask(lab, "web-1"), {
    inbound: "http",
    port: 10002,
    decision: "allow",
    reason:
      'MeshTrafficPermission "not-web-soon" allows spiffe://default/web to call inbound http of "backend-1", and counts it as denied (shadow denial)',
    origins: ["kri_mtp_default___not-web-soon_"],
  });
});

test("access() does not overwrite a policy with its fix", async () => {
  await using lab = new Lab();
  await lab.write(LABELLED + permission("allow-web-to-backend", allowPrefix.replace("default/", "elsewhere/")));
  assert.match((await ask(lab, "web-1")).fix ?? "", /^name: allow-web-to-backend-2$/m);
});

test("access() says that without mutual TLS permissions do not count", async () => {
  await using lab = new Lab();
  await lab.write(`${TAGGED}---\ntype: Mesh\nname: default\n`);
  const { decision, reason, fix } = await ask(lab, "web-1");
  assert.equal(decision, "plaintext");
  assert.match(reason, /speaks plain text: whoever reaches port 10002 may call/);
  assert.match(fix ?? "", /turn mutual TLS on in Mesh "default"/);
});

test("access() says that plain text gets through where a denied identity does not", async () => {
  await using lab = new Lab();
  await lab.write(TAGGED.replace("type: builtin", "type: builtin, mode: PERMISSIVE"));
  const { decision, reason } = await ask(lab, "web-1");
  assert.equal(decision, "deny");
  assert.match(reason, /; in plain text, which inbound 10002 of "backend-1" accepts too, nobody is denied$/);
});

test("access() tells callers without an identity, or from elsewhere, that they cannot connect", async () => {
  await using lab = new Lab();
  const nobody = LABELLED.replace("matchLabels: {} }", "matchLabels: { app: backend } }");
  await lab.write(nobody);
  const unknown = await ask(lab, "web-1");
  assert.equal(unknown.reason, 'inbound http of "backend-1" accepts mutual TLS only, and "web-1" has no identity');
  assert.match(unknown.fix ?? "", /^give "web-1" an identity/);
  const foreign = await ask(lab, "spiffe://elsewhere/web");
  assert.equal(foreign.decision, "deny");
  assert.match(
    foreign.reason,
    /trusts spiffe:\/\/default\/ and no others, so spiffe:\/\/elsewhere\/web cannot connect/,
  );
});

test("access() passes on why an identity cannot be had", async () => {
  await using lab = new Lab();
  await lab.write(LABELLED.replace("labels: { app: web, kuma.io/workload: web }", "labels: { app: web }"));
  const { decision, reason } = await ask(lab, "web-1");
  assert.equal(decision, "deny");
  assert.match(reason, /"web-1" has no identity: spec.spiffeID.path has no value for \{\{ .Workload \}\}/);
});

test("access() tries the server names of the service, which a permission may ask for", async () => {
  await using lab = new Lab();
  const byName = (sni: string): string =>
    `{ rules: [{ default: { allow: [{ sni: { type: Exact, value: ${sni} } }] } }] }`;
  await lab.write(LABELLED + permission("by-name", byName("sni.msvc.default.backend.main")));
  await lab.connect("default", "backend-1");
  assert.equal((await ask(lab, "web-1")).decision, "allow");
  await lab.write(permission("by-name", byName("elsewhere")).slice("---".length));
  assert.equal((await ask(lab, "web-1")).decision, "deny");
});

test("access() knows neither proxies nor callers that are not there", async () => {
  await using lab = new Lab();
  await lab.write(LABELLED);
  assert.equal(await lab.inspect.access(backend, "nobody"), undefined);
  assert.equal(await lab.inspect.access({ mesh: "default", name: "nobody" }, "web-1"), undefined);
});
