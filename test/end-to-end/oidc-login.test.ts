/** Logging in with OpenID Connect: a real provider, a real control plane, the real command. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { loadConfig, settings } from "@heddle/control-plane/config.ts";
import { startControlPlane } from "@heddle/control-plane/control-plane.ts";
import { createLog } from "@heddle/control-plane/log.ts";
import { openBrowser } from "../support/browser.ts";
import { CLIENT_ID, type LoginProvider, RESOURCE, startLoginProvider } from "../support/login-provider.ts";

const CLI = join(import.meta.dirname, "../../packages/cli/src/main.ts");
const ACCOUNTS = {
  jane: { email: "jane@example.com", email_verified: true, groups: ["dev"] },
  mallory: { email: "mallory@example.com", email_verified: false, groups: ["mesh-system:admin"] },
};

interface World {
  readonly provider: LoginProvider;
  readonly apiUrl: string;
  readonly config: string;
  readonly auditFile: string;
  /** Runs the command; `whenSaid` gets standard error until it takes the bait. */
  run(words: readonly string[], whenSaid?: (stderr: string) => boolean): Promise<Outcome>;
}

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function start(
  t: TestContext,
  {
    flags = {},
    tokenSeconds = 3_600,
  }: { readonly flags?: Readonly<Record<string, string>>; readonly tokenSeconds?: number } = {},
): Promise<World> {
  const provider = await startLoginProvider({ accounts: ACCOUNTS, tokenSeconds });
  t.after(() => provider[Symbol.asyncDispose]());
  const folder = await mkdtemp(join(tmpdir(), "heddle-oidc-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const auditFile = join(folder, "audit.log");
  const free = Object.fromEntries(settings.filter(({ name }) => name.endsWith("Port")).map(({ name }) => [name, 0]));
  const loaded = loadConfig({
    env: {},
    flags: {
      ...free,
      storeType: "memory",
      logLevel: "off",
      localhostIsAdmin: "false",
      oidcIssuer: provider.issuer,
      oidcClientId: CLIENT_ID,
      oidcGroupsClaim: "groups",
      adminGroups: "mesh-system:admin,oidc:dev",
      auditBackends: [{ type: "file", file: { path: auditFile } }],
      ...flags,
    },
  });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  const controlPlane = await startControlPlane(loaded.value, createLog(loaded.value));
  t.after(() => controlPlane[Symbol.asyncDispose]());
  const config = join(folder, "config");
  const { apiUrl } = controlPlane;
  const run: World["run"] = (words, whenSaid) =>
    runCommand(
      [...words, "--config-file", config, ...(words.includes("login") ? ["--control-plane", apiUrl] : [])],
      whenSaid,
    );
  return { provider, apiUrl, config, auditFile, run };
}

async function runCommand(
  words: readonly string[],
  whenSaid: (stderr: string) => boolean = () => true,
): Promise<Outcome> {
  const env = { PATH: process.env["PATH"], HOME: "/nonexistent" };
  const child = spawn(process.execPath, [CLI, ...words], { env, stdio: ["ignore", "pipe", "pipe"], timeout: 40_000 });
  const said = { stdout: "", stderr: "" };
  let isTaken = false;
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
      if (name === "stderr" && !isTaken) isTaken = whenSaid(said.stderr);
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, ...said };
}

/** Logs in as somebody once the command has printed where. */
function loggingInAs(login: string, change: (url: string) => string = (url) => url): (stderr: string) => boolean {
  return (stderr) => {
    const url = /(?:browser:|or open) (\S+)\n/.exec(stderr)?.[1];
    if (url === undefined) return false;
    openBrowser()
      .logIn(change(url), login)
      .catch((cause: unknown) => console.error("the browser failed:", cause));
    return true;
  };
}

/** GET, or PUT of a resource. */
async function ask(
  apiUrl: string,
  path: string,
  token: string,
  put?: object,
): Promise<{ status: number; body: string }> {
  const authorization = token === "" ? {} : { authorization: `Bearer ${token}` };
  const headers = { ...authorization, "content-type": "application/json" };
  const sent = put === undefined ? {} : { method: "PUT", body: JSON.stringify(put) };
  const response = await fetch(`${apiUrl}${path}`, { headers, ...sent });
  return { status: response.status, body: await response.text() };
}

const secretsIn = async (file: string): Promise<readonly string[]> =>
  [...(await readFile(file, "utf8")).matchAll(/(?:token|refreshToken): *(?:>-\s+)?(\S+)/g)].map(
    ([, found = ""]) => found,
  );

test("heddle auth login gets a token with the browser that lists, audit and other commands know, and logout takes it back", async (t) => {
  const { provider, run, config, auditFile, apiUrl } = await start(t);
  const login = await run(["auth", "login", "--no-browser"], loggingInAs("jane"));
  assert.equal(login.code, 0, login.stderr);
  assert.match(login.stdout, /^Logged in to http:\S+ as oidc:jane\n$/);
  const secrets = await secretsIn(config);
  assert.equal(secrets.length, 2, "a token and a refresh token");
  assert.equal((await stat(config)).mode & 0o777, 0o600);
  const who = await run(["auth", "whoami"]);
  assert.equal(who.stdout, "oidc:jane\ngroups: oidc:dev, mesh-system:authenticated\n");
  // Her group may: by the lists of the settings, under its prefixed name.
  assert.equal((await ask(apiUrl, "/globalsecrets", secrets[0] ?? "")).status, 200);
  const all = { type: "AccessAudit", name: "all", rules: [{ accessAll: true }] };
  assert.equal((await ask(apiUrl, "/access-audits/all", secrets[0] ?? "", all)).status, 201);
  assert.equal((await ask(apiUrl, "/zones/east", secrets[0] ?? "", { type: "Zone", name: "east" })).status, 201);
  assert.match(await readFile(auditFile, "utf8"), /"name":"oidc:jane","groups":\["oidc:dev"/);
  const view = await run(["config", "view"]);
  const out = await run(["auth", "logout"]);
  assert.equal(out.code, 0, out.stderr);
  assert.ok(provider.requests.includes("POST /token/revocation"));
  assert.deepEqual(await secretsIn(config), []);
  assert.match((await run(["auth", "whoami"])).stdout, /^mesh-system:anonymous\n/);
  const outputs = [login, who, view, out].map(({ stdout, stderr }) => stdout + stderr).join("\n");
  for (const secret of secrets) assert.ok(!outputs.includes(secret), "a token in the output");
});

test("heddle auth login --device gets a token with a code", async (t) => {
  const { run } = await start(t);
  const login = await run(["auth", "login", "--device"], loggingInAs("jane"));
  assert.equal(login.code, 0, login.stderr);
  assert.match((await run(["auth", "whoami", "-o", "json"])).stdout, /"name": "oidc:jane"/);
});

test("heddle refreshes a login that is due, also for two commands at the same time, and says when the issuer is gone", async (t) => {
  const { provider, run, config } = await start(t, { tokenSeconds: 30 });
  const login = await run(["auth", "login", "--no-browser"], loggingInAs("jane"));
  assert.equal(login.code, 0, login.stderr);
  const before = await secretsIn(config);
  const both = await Promise.all([run(["auth", "whoami"]), run(["auth", "whoami"])]);
  for (const { stdout, stderr } of both) assert.match(stdout, /^oidc:jane\n/, stderr);
  const after = await secretsIn(config);
  assert.notDeepEqual(after, before);
  assert.equal((await stat(config)).mode & 0o777, 0o600);
  await provider[Symbol.asyncDispose]();
  const alone = await run(["auth", "whoami"]);
  assert.equal(alone.code, 1);
  assert.match(alone.stderr, /Cannot log in at http:\S+: it cannot be reached, ECONNREFUSED/);
  for (const secret of [...before, ...after]) assert.ok(!alone.stderr.includes(secret), "a token in an error");
});

test("the REST API takes access tokens for its own audience alone when the settings name one", async (t) => {
  const { run, config, apiUrl } = await start(t, { flags: { oidcAudience: RESOURCE } });
  const login = await run(["auth", "login", "--no-browser"], loggingInAs("jane"));
  assert.equal(login.code, 0, login.stderr);
  assert.match((await run(["auth", "whoami"])).stdout, /^oidc:jane\n/);
  const [token = ""] = await secretsIn(config);
  assert.equal(JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()).aud, RESOURCE);
  assert.equal((await ask(apiUrl, "/who-am-i", token)).status, 200);
});

test("the REST API refuses what the provider's own key signed for others, and makes no administrator of anybody", async (t) => {
  const { provider, apiUrl } = await start(t);
  const seconds = Math.floor(Date.now() / 1_000);
  const good = { iss: provider.issuer, aud: CLIENT_ID, sub: "jane", iat: seconds, exp: seconds + 60 };
  assert.equal((await ask(apiUrl, "/who-am-i", await provider.sign(good))).status, 200);
  for (const change of [{ aud: "other" }, { azp: "other" }, { exp: seconds - 60 }, { iss: "https://evil.example" }]) {
    const { status, body } = await ask(apiUrl, "/who-am-i", await provider.sign({ ...good, ...change }));
    assert.equal(status, 401, `${JSON.stringify(change)}: ${body}`);
  }
  const groups = ["mesh-system:admin", "mesh-system:authenticated"];
  const admin = await provider.sign({
    ...good,
    sub: "mesh-system:admin",
    groups,
    Name: "mesh-system:admin",
    Groups: groups,
  });
  const who = await ask(apiUrl, "/who-am-i", admin);
  assert.deepEqual(JSON.parse(who.body), {
    name: "oidc:mesh-system:admin",
    groups: ["oidc:mesh-system:admin", "oidc:mesh-system:authenticated", "mesh-system:authenticated"],
  });
  assert.equal((await ask(apiUrl, "/globalsecrets", admin)).status, 403);
});

test("AccessRoleBindings name users and groups of the issuer by their prefixed names", async (t) => {
  const { provider, apiUrl } = await start(t, {
    flags: { accessType: "rbac", localhostIsAdmin: "true", adminGroups: "mesh-system:admin" },
  });
  const seconds = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: provider.issuer,
    aud: CLIENT_ID,
    sub: "jane",
    groups: ["dev"],
    iat: seconds,
    exp: seconds + 60,
  };
  const token = await provider.sign(claims);
  const role = { type: "AccessRole", name: "rotators", rules: [{ access: ["ROTATE_CA"] }] };
  assert.equal((await ask(apiUrl, "/access-roles/rotators", "", role)).status, 201);
  const allowed = async (): Promise<unknown> => {
    const headers = { authorization: `Bearer ${token}`, "x-forwarded-for": "203.0.113.7" };
    const answer = await fetch(`${apiUrl}/can-i?action=ROTATE_CA`, { headers });
    return ((await answer.json()) as { readonly allowed: unknown }).allowed;
  };
  const binding = (name: string): object => ({
    type: "AccessRoleBinding",
    name: "team",
    subjects: [{ type: "Group", name }],
    roles: ["rotators"],
  });
  assert.equal((await ask(apiUrl, "/access-role-bindings/team", "", binding("dev"))).status, 201);
  assert.equal(await allowed(), false);
  assert.equal((await ask(apiUrl, "/access-role-bindings/team", "", binding("oidc:dev"))).status, 200);
  assert.equal(await allowed(), true);
});

test("heddle auth login keeps nothing when the login is denied, nobody comes, the answer is forged, or nobody is there", async (t) => {
  const { provider, run, config, apiUrl } = await start(t, { flags: { oidcUsernameClaim: "email" } });
  const here = ["auth", "login", "--no-browser"];
  const denied = await run(here, (stderr) => {
    const url = /browser: (\S+)\n/.exec(stderr)?.[1];
    if (url === undefined) return false;
    const { searchParams } = new URL(url);
    const back = new URL(searchParams.get("redirect_uri") ?? "");
    const answer = (state: string, more: Readonly<Record<string, string>>) =>
      fetch(`${back.href}?${new URLSearchParams({ state, iss: provider.issuer, ...more }).toString()}`);
    // A forged answer is turned away and ends nothing; the real one does.
    void answer("forged", { code: "stolen" }).then(async (forged) => {
      assert.equal(forged.status, 400);
      await answer(searchParams.get("state") ?? "", { error: "access_denied" });
    });
    return true;
  });
  assert.match(denied.stderr, /access was denied there/);
  const mixedUp = await run(here, (stderr) => {
    const url = /browser: (\S+)\n/.exec(stderr)?.[1];
    if (url === undefined) return false;
    const { searchParams } = new URL(url);
    const answer = { state: searchParams.get("state") ?? "", code: "x", iss: "https://evil.example" };
    void fetch(`${searchParams.get("redirect_uri")}?${new URLSearchParams(answer).toString()}`);
    return true;
  });
  assert.match(mixedUp.stderr, /what came back does not belong to this login/);
  assert.match((await run([...here, "--timeout", "300ms"])).stderr, /nobody finished the login within/);
  // Nobody has verified her address, so the control plane takes her token for nobody's.
  assert.match((await run(here, loggingInAs("mallory"))).stderr, /e-mail address is not verified/);
  const nobody = ["--issuer", "http://127.0.0.1:1", "--client-id", CLIENT_ID];
  assert.match((await run([...here, ...nobody])).stderr, /Cannot log in at http:\/\/127.0.0.1:1: it cannot be reached/);
  await assert.rejects(readFile(config), { code: "ENOENT" });
  assert.equal((await fetch(`${apiUrl}/auth/config`)).status, 200);
});
