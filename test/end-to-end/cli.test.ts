import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Outcome, runHeddle } from "@heddle/cli/testkit/run-heddle.ts";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { ALLOW_ALL, type Lab, meshService, mtls, startLab } from "../support/lab.ts";
import { ask } from "../support/traffic.ts";

/** A command line against the lab's control plane. */
async function heddle(
  lab: Lab,
  words: string,
  stdin = "",
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const options = { env: { HEDDLE_ADDRESS: lab.at.apiUrl, ...env }, stdin };
  return await runHeddle(words.split(" "), options);
}

/** Two services with real sidecars: web-1 calls backend-1. Gives the address at which web-1's application calls. */
async function webAndBackend(lab: Lab, t: Parameters<typeof application>[0]): Promise<string> {
  await lab.apply(meshService("backend"));
  const app = await application(t, "backend");
  const [, web] = await Promise.all([
    lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port }),
    lab.sidecar({ name: "web-1", labels: { app: "web", "kuma.io/workload": "web" }, calls: ["backend"] }),
  ]);
  return web.outbound("backend");
}

const timeout = (name: string, requestTimeout: string): string => `
type: MeshTimeout
mesh: default
name: ${name}
spec:
  targetRef: { kind: Dataplane, labels: { app: web } }
  to:
    - targetRef: { kind: MeshService, name: backend }
      default: { http: { requestTimeout: ${requestTimeout} } }
`;

// Every rule that is checked before accepts it; only Envoy itself knows that no time is negative.
const REFUSED_BY_ENVOY = `
type: MeshProxyPatch
mesh: default
name: broken
spec:
  targetRef: { kind: Dataplane, labels: { app: web } }
  default:
    appendModifications:
      - cluster: { operation: Patch, match: { origin: outbound }, value: "connectTimeout: -5s" }
`;

test("heddle apply tells what became of a document, and who acknowledged or refused it", async (t) => {
  const lab = await startLab(t);
  const backend = await webAndBackend(lab, t);

  await t.test("--dry-run and --diff name the proxy, and write nothing", async () => {
    const plan = await heddle(lab, "apply -f - --dry-run", timeout("slow", "5s"));
    assert.equal(plan.code, 0, plan.stderr);
    assert.match(plan.stdout, /web-1/);
    assert.doesNotMatch(plan.stdout, /backend-1/);
    const diff = await heddle(lab, "apply -f - --diff", timeout("slow", "5s"));
    assert.match(diff.stdout, /requestTimeout: 5s/);
    assert.match(diff.stdout, /web-1[\s\S]*timeout/);
    assert.equal((await heddle(lab, "get meshtimeout slow")).code, 1);
  });

  await t.test("created, updated, unchanged", async () => {
    const created = await heddle(lab, "apply -f -", timeout("slow", "5s"));
    assert.match(created.stdout, /^created {3}MeshTimeout default\/slow\nACKed 1\/1 proxy in [\d.]+ m?s\n$/);
    const updated = await heddle(lab, "apply -f -", timeout("slow", "6s"));
    assert.match(updated.stdout, /^updated {3}MeshTimeout default\/slow\nACKed 1\/1 proxy/);
    const unchanged = await heddle(lab, "apply -f -", timeout("slow", "6s"));
    assert.equal(unchanged.stdout, "unchanged MeshTimeout default/slow\n");
    assert.deepEqual([created.code, updated.code, unchanged.code], [0, 0, 0]);
    assert.match((await heddle(lab, "inspect rules web-1")).stdout, /requestTimeout: 6s[\s\S]*default\/slow/);
    assert.match((await heddle(lab, "inspect meshtimeout slow")).stdout, /web-1/);
  });

  await t.test("what Envoy refuses is taken back, with its words, and traffic goes on", async () => {
    const held = await heddle(lab, "apply -f -", REFUSED_BY_ENVOY);
    assert.equal(held.code, 1);
    assert.match(held.stdout, /HELD MeshProxyPatch default\/broken: proxy "web-1" refused Cluster/);
    assert.match(held.stdout, /duration[\s\S]*it is not in force \(1 proxy had it/i);
    assert.equal((await ask(backend)).body, "backend");
    const shown = await heddle(lab, "get meshproxypatch broken -o yaml");
    assert.match(shown.stdout, /state: Held[\s\S]*dataplane: web-1/);
    assert.match((await heddle(lab, "inspect meshproxypatch broken")).stderr, /is held: proxy "web-1" refused/);
    const again = await heddle(lab, "apply -f -", REFUSED_BY_ENVOY);
    assert.match(again.stderr, /warning: is held: proxy "web-1" refused/);
    assert.equal((await heddle(lab, "delete meshproxypatch broken")).code, 0);
  });

  await t.test("what Envoy refuses stays when its author insists; Envoy's words and the origin are told", async () => {
    const refused = await heddle(lab, "apply -f - --no-hold", REFUSED_BY_ENVOY);
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /created {3}MeshProxyPatch default\/broken\nACKed 0\/1 proxy in .*, 1 refused\n/);
    assert.match(refused.stdout, /NACK default\/web-1[\s\S]*Envoy +.*duration/i);
    assert.match(refused.stdout, /origin +kri_mpp_default_.*_broken_/);
    assert.equal((await ask(backend)).body, "backend");
    assert.match((await heddle(lab, "inspect dataplane web-1")).stdout, /kri_mpp_default_.*_broken_/);
    assert.match((await heddle(lab, "inspect dataplanes")).stdout, /web-1 .* yes /);

    const deleted = await heddle(lab, "delete meshproxypatch broken");
    assert.equal(deleted.code, 0, deleted.stderr);
    assert.match(deleted.stdout, /^deleted MeshProxyPatch default\/broken\nACKed 1\/1 proxy/);
  });

  await t.test("a mesh with proxies in it is not deleted", async () => {
    const { code, stderr } = await heddle(lab, "delete mesh default --yes");
    assert.equal(code, 1);
    assert.match(stderr, /dataplanes attached: .*web-1/);
    assert.equal((await heddle(lab, "get mesh default")).code, 0);
  });
});

test("heddle inspect access says why a call is denied, and what to apply to allow it", async (t) => {
  const lab = await startLab(t);
  await lab.apply(mtls());
  const backend = await webAndBackend(lab, t);
  await eventually(async () => assert.equal((await ask(backend)).status, 403));

  const denied = await heddle(lab, "inspect access --from web-1 --to backend-1");
  assert.match(denied.stdout, /web-1 -> backend-1 .*denied[\s\S]*no MeshTrafficPermission/);
  const advice = denied.stdout
    .split("\n")
    .filter((line) => line.startsWith("    "))
    .join("\n");
  const applied = await heddle(lab, "apply -f -", advice);
  assert.equal(applied.code, 0, applied.stderr + advice);
  assert.match(applied.stdout, /created {3}MeshTrafficPermission[\s\S]*ACKed/);
  // ACKed means in force: no waiting here.
  assert.equal((await ask(backend)).status, 200);
  assert.match(
    (await heddle(lab, "inspect access --from web-1 --to backend-1")).stdout,
    /web-1 -> backend-1 .*allowed/,
  );
  assert.match((await heddle(lab, "inspect dataplanes")).stdout, /web-1 +Online .* in \d+h/);
});

test("heddle apply tells the outcome of each document, and writes the good ones alone", async (t) => {
  const lab = await startLab(t);
  const documents = [
    timeout("good", "5s"),
    timeout("typo", "5s").replace("requestTimeout", "requestTimout"),
    timeout("elsewhere", "5s").replace("mesh: default", "mesh: prod"),
    "\ntype: MeshTimeut\nname: x\n",
    "\ntype: Dataplane\nmesh: default\nname: twice\nnetworking: { address: 127.0.0.1, inbound: [{ port: 9 }, { port: 9 }] }\n",
    "\ntype: MeshTrafficPermission\nmesh: default\nname: to\nspec: { to: [{ targetRef: { kind: Mesh } }] }\n",
  ];
  const { code, stdout, stderr } = await heddle(lab, "apply -f -", documents.join("---"));
  assert.equal(code, 1);
  assert.deepEqual(
    stdout.split("\n").filter((line) => /^(created|failed)/.test(line)),
    [
      "created   MeshTimeout default/good",
      "failed    MeshTimeout default/typo",
      "failed    MeshTimeout prod/elsewhere",
      "failed    MeshTimeut x",
      "failed    Dataplane default/twice",
      "failed    MeshTrafficPermission default/to",
    ],
  );
  const told = [
    /warning: spec\.targetRef: .*selects no proxy/,
    /warning: .*no MeshService "backend"/,
    /document 2\n {2}spec\.to\[0\]\.default\.http\.requestTimout: unknown field, did you mean "requestTimeout"\?/,
    /mesh: there is no Mesh "prod"/,
    /-> Write it as "MeshTimeout"/,
    /networking\.inbound\[1\]\.port: must differ from networking\.inbound\[0\]\.port/,
    /spec\.to: unknown field; known here: .*rules/,
  ];
  for (const sentence of told) assert.match(stderr, sentence);
  assert.equal((await heddle(lab, "get meshtimeouts -m default -o name")).stdout, "meshtimeouts/good\n");

  const planned = await heddle(lab, "apply -f - --dry-run", documents.slice(0, 2).join("---"));
  assert.equal(planned.code, 1);
  assert.match(planned.stdout + planned.stderr, /requestTimout: unknown field/);

  const unreadable = await heddle(lab, "apply -f -", `${timeout("late", "5s")}---\na: [`);
  assert.equal(unreadable.code, 1);
  assert.match(unreadable.stderr, /nothing was sent/);
  assert.equal((await heddle(lab, "get meshtimeout late")).code, 1);
});

const mistakes = [
  ["get foo", 2, /knows no such type\n.*heddle get/],
  ["get meshes -o nmae", 2, /Allowed choices are table, wide, yaml, json, name/],
  ["get meshtimeouts -m prod", 1, /there is no Mesh "prod"/],
  ["get meshtimeout nope", 1, /there is no MeshTimeout "nope" in mesh "default"/],
  ["delete dataplane nope", 1, /there is no Dataplane "nope"/],
  ["delete mesh default", 1, /nothing was deleted\n.*--yes/],
  ["inspect dataplane nope", 1, /there is no Dataplane "nope"/],
  ["inspect access --from nope --to nope", 1, /there is no Dataplane "nope"/],
  ["explain meshtimeout.spek", 2, /Did you mean "spec"\?/],
  ["apply -f /no/such/file", 1, /"\/no\/such\/file": there is no such file or folder/],
  ["apply", 2, /no file is named/],
] as const;
test("heddle answers mistakes with what to do, on standard error alone", async (t) => {
  const lab = await startLab(t);
  for (const [words, expected, sentence] of mistakes) {
    const { code, stdout, stderr } = await heddle(lab, words);
    assert.deepEqual([words, code, stdout], [words, expected, ""], stderr);
    assert.match(stderr, sentence);
  }
});

test("heddle get reads every type in every form", async (t) => {
  const lab = await startLab(t);
  const types = (await heddle(lab, "get")).stdout.trim().split("\n").slice(1);
  assert.ok(types.length > 10);
  const words = types.map((line) => line.split(/\s+/)[1] ?? "");
  const forms = ["", " -o json", " -o yaml", " -o name", " -o wide"];
  for (const [index, word] of words.entries()) {
    const { code, stderr } = await heddle(lab, `get ${word}${forms[index % forms.length]}`);
    assert.equal(code, 0, `get ${word}: ${stderr}`);
  }
  assert.equal((await heddle(lab, "get meshes -o name")).stdout, "meshes/default\n");
  const json = JSON.parse((await heddle(lab, "get meshes -o json")).stdout) as { readonly total: number };
  assert.equal(json.total, 1);
});

test("heddle generate makes tokens that open what they are for, and nothing else", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "heddle-test-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const settings = { storeType: "sqlite", dataFolder: folder };
  const open = await startLab(t, settings);
  const token = async (words: string): Promise<string> => {
    const { code, stdout, stderr } = await heddle(open, `generate ${words}`);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const admin = await token("user-token --name me --group mesh-system:admin --valid-for 1h");
  const reader = await token("user-token --name you --valid-for 1h");
  const dataplane = await token("dataplane-token --name backend-1 --valid-for 1h");
  await open.controlPlane[Symbol.asyncDispose]();

  const lab = await startLab(t, { ...settings, localhostIsAdmin: "false" });
  const nobody = await heddle(lab, "apply -f -", ALLOW_ALL);
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /does not allow it[\s\S]*heddle generate user-token/);
  assert.equal((await heddle(lab, "apply -f -", ALLOW_ALL, { HEDDLE_TOKEN: admin })).code, 0);
  assert.equal((await heddle(lab, "get secrets", "", { HEDDLE_TOKEN: admin })).code, 0);
  assert.equal((await heddle(lab, "get secrets", "", { HEDDLE_TOKEN: reader })).code, 1);
  const foreign = await heddle(lab, "get meshes", "", { HEDDLE_TOKEN: dataplane });
  assert.equal(foreign.code, 1);
  assert.match(foreign.stderr, /does not accept the token/);
  assert.doesNotMatch(foreign.stderr, new RegExp(dataplane));

  const app = await application(t, "backend");
  await lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port, token: dataplane });
  assert.match((await heddle(lab, "inspect dataplanes")).stdout, /backend-1 +Online/);
});

test("heddle apply takes every document of the guide as it stands there", async (t) => {
  const lab = await startLab(t);
  const guide = await readFile(join(import.meta.dirname, "../../docs/guide/first-mesh.md"), "utf8");
  const documents = [...guide.matchAll(/<<'YAML'\n([\s\S]*?)\nYAML\n/g)].map(([, text]) => text ?? "");
  assert.ok(documents.length >= 6);
  for (const document of documents) {
    const { code, stderr } = await heddle(lab, "apply -f - -v version=v1 -v port=10001 -v servicePort=9001", document);
    assert.equal(code, 0, `${document}\n${stderr}`);
  }
});
