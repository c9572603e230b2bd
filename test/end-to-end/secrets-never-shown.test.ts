import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { ControlPlaneProcess } from "../support/control-plane-process.ts";
import { freePorts } from "../support/free-ports.ts";
import { Mesh, type Sidecar } from "../support/lab.ts";

const CLI = join(import.meta.dirname, "../../packages/cli/src/main.ts");
const run = promisify(execFile);

/** What must be found nowhere, by what it is. */
type Secrets = Map<string, string>;

const PLANTED = "planted-by-the-test";
const KEY = randomBytes(32).toString("base64");
const REDIS_PASSWORD = `${PLANTED}-redis-password`;
/** Callers who came through a proxy are nobody in particular. */
const ANYBODY = { "x-forwarded-for": "203.0.113.7" };

test("secrets are found in no answer, log, metric, dump, process or file", { timeout: 60_000 }, async (t) => {
  const folder = temporaryFolder(t);
  const [api = 0, dp = 0, diagnostics = 0] = await freePorts(3);
  const audit = join(folder, "audit.log");
  const controlPlane = new ControlPlaneProcess(folder, [api, dp, diagnostics], {
    HEDDLE_LOG_LEVEL: "debug",
    HEDDLE_ENCRYPTION_KEY: KEY,
    HEDDLE_RATE_LIMIT_REDIS_URL: `redis://user:${REDIS_PASSWORD}@127.0.0.1:1`,
    HEDDLE_ACCESS_AUDIT_BACKENDS: JSON.stringify([{ type: "file", file: { path: audit } }]),
  });
  t.after(() => controlPlane.kill());
  await controlPlane.start();
  const mesh = new Mesh(t, { apiUrl: controlPlane.apiUrl, dpPort: dp, caPem: await controlPlane.caPem() }, folder);
  const secrets: Secrets = new Map([
    ["encryption key", KEY],
    ["password of Redis", REDIS_PASSWORD],
  ]);
  const sidecar = await plant(mesh, secrets);
  const at = { mesh, sidecar, controlPlane, metrics: `http://127.0.0.1:${diagnostics}/metrics` };

  await t.test("refused writes do not repeat what was written", () => assertRefusalsAreSilent(mesh));
  await t.test("answers to anybody", () => sweepApi(at, secrets, ANYBODY));
  await t.test("dumps, reports and metrics for administrators", () => sweepReports(at, secrets));
  await t.test("tables of the command line", async () => {
    for (const words of [
      ["get", "secrets"],
      ["get", "globalsecrets"],
      ["get", "meshes"],
      ["inspect", "meshes"],
    ])
      search(`heddle ${words.join(" ")}`, await heddle(at.mesh, ...words), secrets);
  });
  await t.test("processes and what they inherit", () => sweepProcesses(at, secrets));
  await t.test("rotation of the encryption key, for administrators only, audited", async () => {
    const path = `${controlPlane.apiUrl}/encryption-key`;
    assert.equal((await fetch(`${path}/rotate`, { method: "POST", headers: ANYBODY })).status, 403);
    assert.equal((await fetch(path, { headers: ANYBODY })).status, 403);
    const output = await heddle(mesh, "rotate", "encryption-key");
    assert.match(output, /Everything in the store is encrypted anew; key aes-[0-9a-f]{16} of HEDDLE_ENCRYPTION_KEY/);
    search("the answer to a rotation", output, secrets);
    assert.match(readFileSync(audit, "utf8"), /"ROTATE_ENCRYPTION_KEY"/);
  });
  await t.test("logs, the audit log and the files of the store", async () => {
    await sidecar.stop();
    await controlPlane.stop();
    search("the log of the control plane", controlPlane.output, secrets);
    search("the log of the sidecar", sidecar.output(), secrets);
    search("the audit log", readFileSync(audit, "latin1"), secrets);
    const data = join(folder, "data");
    const files = readdirSync(data);
    assert.ok(files.includes("store.sqlite") && !files.includes("encryption.key"), files.join(" "));
    for (const file of files) search(file, readFileSync(join(data, file), "latin1"), secrets);
  });
});

/** Puts secrets wherever a control plane has them, and starts a sidecar. */
async function plant(mesh: Mesh, secrets: Secrets): Promise<Sidecar> {
  const builtin = { mtls: { enabledBackend: "ca-1", backends: [{ name: "ca-1", type: "builtin" }] } };
  const data = (text: string): string => Buffer.from(text).toString("base64");
  await mesh.apply(`
type: AccessAudit
name: all
rules: [{accessAll: true}]
---
type: Secret
mesh: default
name: planted
data: ${data(`${PLANTED}-secret-of-a-user`)}
---
type: GlobalSecret
name: planted
data: ${data(`${PLANTED}-global-secret`)}
---
${JSON.stringify({ type: "Mesh", name: "default", ...builtin })}
---
${JSON.stringify({ type: "Mesh", name: "spare", ...builtin })}
`);
  const token = await mesh.token("web");
  secrets.set("dataplane token", token).set("signature of that token", token.split(".").at(-1) ?? "");
  const user = await post(mesh, "/tokens/user", { name: "jane", groups: ["team"], validFor: "1h" });
  secrets.set("user token", await user.text());
  const sidecar = await mesh.sidecar({ name: "web", token });
  await stored(mesh, "default", secrets);
  await stored(mesh, "", secrets);
  await plantInline(mesh, secrets);
  return sidecar;
}

/** A mesh whose authority's key stands in the Mesh itself: whoever may read a Mesh may read it there, and nowhere else. */
async function plantInline(mesh: Mesh, secrets: Secrets): Promise<void> {
  const spare: Secrets = new Map();
  await stored(mesh, "spare", spare);
  const { items } = (await mesh.get("/meshes/spare/secrets")) as { items: { name: string; data: string }[] };
  const ofAuthority = (what: string): string => {
    const { data = "" } = items.find(({ name }) => name.includes(`ca-builtin-${what}`)) ?? {};
    return Buffer.from(data, "base64").toString("utf8");
  };
  const [cert, key] = [ofAuthority("cert"), ofAuthority("key")];
  assert.ok(cert !== "" && key !== "", "the mesh has no authority yet");
  const conf = { cert: { inlineString: cert }, key: { inlineString: key } };
  const backends = [{ name: "ca-1", type: "provided", conf }];
  await mesh.apply(JSON.stringify({ type: "Mesh", name: "inline", mtls: { enabledBackend: "ca-1", backends } }));
  for (const [what, text] of spare) secrets.set(`${INLINE} (${what})`, text);
}

const INLINE = "key inline in a Mesh";

async function stored(mesh: Mesh, ofMesh: string, secrets: Secrets): Promise<void> {
  const path = ofMesh === "" ? "/global-secrets" : `/meshes/${ofMesh}/secrets`;
  const { items } = (await mesh.get(path)) as { items: { name: string; data?: string }[] };
  assert.ok(items.length > 0, `no secrets at ${path}`);
  for (const { name, data = "" } of items) {
    const text = Buffer.from(data, "base64").toString("utf8");
    // Certificates are no secret, and ids of a control plane are told.
    if (name === "control-plane-cluster-id" || !/PRIVATE KEY|planted/.test(text)) continue;
    secrets.set(`${path}/${name}`, keyLine(text)).set(`${path}/${name} in base64`, data.slice(-60));
  }
}

/** A line from the middle of a private key, or the text itself. */
function keyLine(text: string): string {
  const [, key] =
    /-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\\n|\s)+([A-Za-z0-9+/=\s\\]+?)(?:\\n|\s)*-----END/.exec(text) ?? [];
  // The first line says what kind of key it is, which many share.
  return key === undefined ? text : (key.split(/\\n|\n/).toSorted((a, b) => b.length - a.length)[0] ?? text).slice(-40);
}

async function assertRefusalsAreSilent(mesh: Mesh): Promise<void> {
  const text = `${PLANTED}-and-refused`;
  const source = { inlineString: text };
  const vault = { address: "http://127.0.0.1:1", pki: "pki", role: "r", auth: { token: source } };
  const meshWith = (backend: object): object => ({
    type: "Mesh",
    name: "bad",
    mtls: { enabledBackend: "x", backends: [{ name: "x", ...backend }] },
  });
  const bodies: readonly (readonly [path: string, body: string])[] = [
    ["/meshes/default/secrets/bad", JSON.stringify({ type: "Secret", mesh: "default", name: "bad", data: `!${text}` })],
    ["/meshes/default/secrets/bad", JSON.stringify({ type: "Secret", mesh: "default", name: "bad", data: [text] })],
    ["/meshes/default/secrets/bad", JSON.stringify({ type: "Secret", mesh: "default", name: "bad", data: 1, x: text })],
    ["/meshes/default/secrets/bad", `{"type":"Secret","data":"${text}`],
    ["/meshes/default/secrets/bad", `"${text}"`],
    ["/meshes/bad", JSON.stringify(meshWith({ type: "provided", conf: { cert: source, key: source } }))],
    ["/meshes/bad", JSON.stringify(meshWith({ type: "provided", conf: { cert: source, key: { inline: text } } }))],
    ["/meshes/bad", JSON.stringify(meshWith({ type: "provided", conf: { cert: source, key: text } }))],
    ["/meshes/bad", JSON.stringify(meshWith({ type: "vault", conf: { fromCp: vault } }))],
    ["/meshes/bad", JSON.stringify(meshWith({ type: "vault", conf: { fromCp: { ...vault, auth: { token: text } } } }))],
  ];
  for (const [path, body] of bodies) {
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${mesh.at.apiUrl}${path}`, { method: "PUT", headers, body });
    const answer = await response.text();
    assert.ok(response.status >= 400 && response.status < 500, `${response.status} to ${body}: ${answer}`);
    assert.equal(answer.includes(text), false, `the answer to ${body} repeats it: ${answer}`);
  }
  for (const path of ["/who-am-i", "/meshes"]) {
    const response = await fetch(`${mesh.at.apiUrl}${path}`, {
      headers: { ...ANYBODY, authorization: `Bearer ${text}` },
    });
    assert.equal((await response.text()).includes(text), false, `${path} repeats a token that it refuses`);
  }
}

interface Swept {
  readonly mesh: Mesh;
  readonly sidecar: Sidecar;
  readonly controlPlane: ControlPlaneProcess;
  readonly metrics: string;
}

/** All addresses without parameters of their own, and those of the planted meshes and of the proxy. */
async function sweepApi({ mesh }: Swept, secrets: Secrets, headers: Readonly<Record<string, string>>): Promise<void> {
  const { paths } = (await mesh.get("/openapi.json")) as { paths: Record<string, { get?: unknown }> };
  let answered = 0;
  for (const [path, { get }] of Object.entries(paths)) {
    if (get === undefined || path.startsWith("/rollouts")) continue;
    for (const ofMesh of ["default", "inline"]) {
      const name = path.includes("secrets") ? "planted" : "web";
      const filled = path.replace("{mesh}", ofMesh).replaceAll(/\{[^}]+\}/g, name);
      const response = await fetch(`${mesh.at.apiUrl}${filled}`, { headers });
      const body = await response.text();
      if (response.ok) answered += 1;
      if (/secrets/.test(path)) assert.ok([403, 404].includes(response.status), `${filled}: ${response.status}`);
      search(filled, body, /^\/meshes(\/inline)?$/.test(filled) ? withoutInline(secrets) : secrets);
    }
  }
  assert.ok(answered > 40, `only ${answered} addresses answered`);
}

async function sweepReports(at: Swept, secrets: Secrets): Promise<void> {
  const proxy = "/meshes/default/dataplanes/web";
  const reports = ["_config", "_config?shadow=true", "_layout", "_policies", "_overview", "xds", "stats", "clusters"];
  for (const path of ["/config", "/", "/global-insight", ...reports.map((report) => `${proxy}/${report}`)]) {
    const response = await fetch(`${at.mesh.at.apiUrl}${path}`);
    const body = await response.text();
    assert.ok(response.ok, `${path}: ${response.status} ${body}`);
    search(path, body, secrets);
  }
  const config = await (await fetch(`${at.mesh.at.apiUrl}/config`)).text();
  assert.match(config, /"key":"\*\*\*"/);
  search("metrics", await (await fetch(at.metrics)).text(), secrets);
}

/** Command lines of all processes here; the environment of those that the control plane and the sidecar started. */
function sweepProcesses({ sidecar, controlPlane }: Swept, secrets: Secrets): void {
  const parents = new Map<number, number>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const stat = proc(pid, "stat");
    parents.set(Number(pid), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    search(`/proc/${pid}/cmdline`, proc(pid, "cmdline"), secrets);
  }
  const roots = [controlPlane.pid, sidecar.process.pid ?? 0];
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid) ?? 0;
    return parent > 1 && (roots.includes(parent) || isBelow(parent));
  };
  const started = [...parents.keys()].filter(isBelow);
  for (const pid of [...started, sidecar.process.pid ?? 0])
    search(`/proc/${pid}/environ`, proc(String(pid), "environ"), secrets);
}

function proc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return ""; // it has ended meanwhile
  }
}

function withoutInline(secrets: Secrets): Secrets {
  return new Map([...secrets].filter(([what]) => !what.startsWith(INLINE)));
}

function search(where: string, text: string, secrets: Secrets): void {
  for (const [what, secret] of secrets) {
    assert.ok(secret.length >= 16, `${what} is too short to be looked for`);
    for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])
      assert.equal(text.includes(form), false, `${where} holds: ${what}`);
  }
}

async function heddle(mesh: Mesh, ...words: readonly string[]): Promise<string> {
  const args = [CLI, ...words, "--control-plane", mesh.at.apiUrl, "--no-config"];
  const { stdout, stderr } = await run(process.execPath, args, {
    env: { PATH: process.env["PATH"], HOME: mesh.folder },
  });
  return stdout + stderr;
}

async function post(mesh: Mesh, path: string, body: object): Promise<Response> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${mesh.at.apiUrl}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  assert.ok(response.ok, await response.clone().text());
  return response;
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "heddle-shown-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
