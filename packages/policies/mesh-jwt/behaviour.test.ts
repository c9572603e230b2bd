import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { request as secureRequest } from "node:https";
import { test, type TestContext } from "node:test";
import { compileYaml } from "@heddle/engine/testkit/compile-yaml.ts";
import { meshCertificates } from "@heddle/engine/testkit/mesh-certificates.ts";
import { runEnvoy } from "@heddle/engine/testkit/run-envoy.ts";
import { createServerCertificate } from "@heddle/identity/server-certificate.ts";
import { policies } from "../index.ts";
import { issuerKey, jwksOf, token, tokenBySharedSecret, tokenWithoutSignature } from "./testkit/tokens.ts";

const KEY = issuerKey("one");
const NOW = Math.floor(Date.now() / 1_000);
const CLAIMS = { iss: "https://issuer.test", aud: "shop", sub: "alice", exp: NOW + 3_600, role: "admin" };

interface Question {
  readonly path?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}
interface Answer {
  readonly status: number | undefined;
  /** What the application saw; nothing when the request did not reach it. */
  readonly seen: IncomingHttpHeaders | undefined;
}
type Ask = (question: Question) => Promise<Answer>;

/** An application with port "api" behind an Envoy that has a policy. */
async function startLab(t: TestContext, rules: string): Promise<Ask> {
  const seen: IncomingHttpHeaders[] = [];
  const application = createServer(({ headers, url }, answer) => {
    seen.push({ ...headers, "x-seen-url": url });
    answer.end();
  }).listen(0, "127.0.0.1");
  t.after(() => application.close());
  await once(application, "listening");
  const mesh = `
type: Mesh
name: default
---
type: Dataplane
name: backend-1
networking:
  address: 127.0.0.2
  inbound: [{ port: 8080, servicePort: 18080, name: api, protocol: http }]
---
type: MeshJWT
name: tokens
spec: { rules: ${rules} }
`;
  const { port } = application.address() as { readonly port: number };
  const ports = await runEnvoy(t, compileYaml(mesh, policies), { endpoints: { self_inbound_dp_api: port } });
  return async ({ path = "/", token: carried, headers = {} }) => {
    seen.length = 0;
    const authorization = carried === undefined ? {} : { authorization: `Bearer ${carried}` };
    const options = { host: "127.0.0.1", port: ports.get("self_inbound_dp_api"), path, agent: false };
    const asked = request({ ...options, headers: { ...authorization, ...headers } }).end();
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    answer.resume();
    return { status: answer.statusCode, seen: seen[0] };
  };
}

const provider = { name: "main", issuer: CLAIMS.iss, audiences: ["shop"], jwks: { inline: jwksOf(KEY) } };

test("meshJwt lets requests pass whose token is right, and no forgery", async (t) => {
  const ask = await startLab(t, JSON.stringify([{ default: { providers: [provider] } }]));
  const other = issuerKey("one");
  const cases: readonly (readonly [string, string | undefined, number])[] = [
    ["a token that is right", token(KEY, CLAIMS), 200],
    ["no token", undefined, 401],
    ["another audience", token(KEY, { ...CLAIMS, aud: "bank" }), 403],
    ["another issuer", token(KEY, { ...CLAIMS, iss: "https://elsewhere.test" }), 401],
    ["a token of yesterday", token(KEY, { ...CLAIMS, exp: NOW - 86_400 }), 401],
    ["a token of tomorrow", token(KEY, { ...CLAIMS, nbf: NOW + 86_400 }), 401],
    ["another key of the same name", token(other, CLAIMS), 401],
    ["alg: none", tokenWithoutSignature("none", CLAIMS), 401],
    ["alg: None", tokenWithoutSignature("None", CLAIMS), 401],
    ["RS256 without a signature", tokenWithoutSignature("RS256", CLAIMS), 401],
    ["the public key as a shared secret", tokenBySharedSecret(KEY, CLAIMS), 401],
    ["claims that were changed", withClaims(token(KEY, CLAIMS), { ...CLAIMS, sub: "root" }), 401],
    ["no token at all", "nonsense", 401],
  ];
  for (const [what, carried, expected] of cases) {
    await t.test(`${what} gets ${expected}`, async () => {
      const { status, seen } = await ask(carried === undefined ? {} : { token: carried });
      assert.deepEqual([status, seen !== undefined], [expected, expected === 200]);
      assert.equal(seen?.authorization, undefined);
    });
  }
});

/** A token whose middle part was exchanged. */
function withClaims(signed: string, claims: object): string {
  const [header, , signature] = signed.split(".");
  return [header, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
}

test("meshJwt reads claims, leaves public paths alone, and lets no caller forge what is made of tokens", async (t) => {
  const rule = {
    providers: [
      {
        ...provider,
        forward: true,
        fromHeaders: [{ name: "authorization", prefix: "Bearer " }],
        fromParams: ["token"],
        fromCookies: ["session"],
        claimToHeaders: [{ claim: "sub", header: "x-user" }],
        forwardPayloadHeader: "x-payload",
      },
    ],
    publicPaths: ["/public"],
    requireClaims: [
      { claim: "role", values: ["admin", "owner"] },
      { claim: "scope", values: ["cart:write"] },
      { claim: "groups", within: ["realm"], values: ["staff"] },
    ],
  };
  const ask = await startLab(t, JSON.stringify([{ default: rule }]));
  const full = { ...CLAIMS, scope: "cart:read cart:write", realm: { groups: ["all", "staff"] } };
  const good = token(KEY, full);
  const statuses = async (questions: readonly Question[]): Promise<readonly unknown[]> => {
    const all: unknown[] = [];
    for (const question of questions) all.push((await ask(question)).status);
    return all;
  };

  await t.test("the application gets what the token says", async () => {
    const { status, seen } = await ask({ token: good, headers: { "x-user": "root", "x-payload": "x" } });
    const payload = JSON.parse(Buffer.from(String(seen?.["x-payload"]), "base64url").toString()) as object;
    assert.deepEqual([status, seen?.["x-user"], seen?.authorization, payload], [200, "alice", `Bearer ${good}`, full]);
  });
  await t.test("the token may be in a parameter or a cookie", async () => {
    const questions = [{ path: `/?token=${good}` }, { headers: { cookie: `a=b; session=${good}` } }];
    assert.deepEqual(await statuses(questions), [200, 200]);
  });
  await t.test("every claim is required", async () => {
    const lesser = [
      { ...full, role: "guest" },
      { ...full, scope: "cart:read" },
      { ...full, scope: "cart:writer" },
      { ...full, realm: {} },
      { ...full, groups: ["staff"], realm: undefined },
    ];
    const asked = lesser.map((claims) => ({ token: token(KEY, claims) }));
    assert.deepEqual(await statuses(asked), [403, 403, 403, 403, 403]);
    assert.equal((await ask({ token: token(KEY, { ...full, role: "owner" }) })).status, 200);
  });
  await t.test("public paths need no token, and nothing gets out of them", async () => {
    assert.deepEqual(await statuses([{ path: "/public" }, { path: "/public/a?b=/.." }]), [200, 200]);
    const tricks = [
      "/publicity",
      "/public/../admin",
      "/public/%2e%2e/admin",
      "/public/..%2fadmin",
      "/public/%2e%2e%2Fadmin",
      "/public%2f..%2fadmin",
      "/public/..;/admin",
      "/public/..%5cadmin",
      "/PUBLIC/a",
      "//public/a",
    ];
    assert.deepEqual(
      await statuses(tricks.map((path) => ({ path }))),
      tricks.map(() => 401),
    );
  });
  await t.test("on public paths, too, no caller says who it is", async () => {
    const { status, seen } = await ask({ path: "/public", headers: { "x-user": "root", "x-payload": "x" } });
    assert.deepEqual([status, seen?.["x-user"], seen?.["x-payload"]], [200, undefined, undefined]);
    assert.equal((await ask({ path: "/public", token: good })).seen?.["x-user"], "alice");
    assert.equal((await ask({ path: "/public", token: `${good}x` })).seen?.["x-user"], undefined);
  });
});

test("meshJwt fetches keys over https from whom it trusts, and lets nobody in without them", async (t) => {
  const authority = await serverCertificate("127.0.0.1");
  const stranger = await serverCertificate("127.0.0.1");
  const elsewhere = await serverCertificate("elsewhere.test");
  const servers = [authority, stranger, elsewhere].map((own) => serveKeys(t, own));
  const [trusted, ofStranger, misnamed] = await Promise.all(servers);
  const at = (port: number | undefined, pem: string) => ({
    url: `https://127.0.0.1:${port}/keys`,
    caCertificate: pem,
    allowPrivateAddress: true,
    cacheDuration: "1h",
    timeout: "2s",
  });
  const remotes = {
    trusted: at(trusted?.port, authority.certificatePem),
    "of a stranger": at(ofStranger?.port, authority.certificatePem),
    misnamed: at(misnamed?.port, elsewhere.certificatePem),
    "not there": at(await closedPort(), authority.certificatePem),
    "without anybody to trust": { url: `https://127.0.0.1:${trusted?.port}/keys`, allowPrivateAddress: true },
  };
  for (const [what, remote] of Object.entries(remotes)) {
    await t.test(what, async (each) => {
      const rule = { providers: [{ ...provider, jwks: { remote } }] };
      const ask = await startLab(each, JSON.stringify([{ default: rule }]));
      const isRight = await ask({ token: token(KEY, CLAIMS) });
      assert.deepEqual([isRight.status, isRight.seen !== undefined], what === "trusted" ? [200, true] : [401, false]);
      const forgeries = [
        token(issuerKey("one"), CLAIMS),
        tokenWithoutSignature("none", CLAIMS),
        tokenBySharedSecret(KEY, CLAIMS),
      ];
      for (const forged of forgeries) assert.equal((await ask({ token: forged })).seen, undefined);
    });
  }
});

/** After so long Envoy asks again. */
const CACHE_MILLIS = 1_000;

test("meshJwt whose server of keys goes away lets in whom the last ones let in, and no forgery", async (t) => {
  const own = await serverCertificate("127.0.0.1");
  const server = await serveKeys(t, own);
  const url = `https://127.0.0.1:${server.port}/keys`;
  const cache = { cacheDuration: `${CACHE_MILLIS}ms`, timeout: "1s", allowPrivateAddress: true };
  const remote = { url, caCertificate: own.certificatePem, ...cache };
  const ask = await startLab(t, JSON.stringify([{ default: { providers: [{ ...provider, jwks: { remote } }] } }]));
  const right = token(KEY, CLAIMS);
  assert.equal((await ask({ token: right })).status, 200);
  server.stop();
  const forgeries = [
    token(issuerKey("one"), CLAIMS),
    tokenWithoutSignature("none", CLAIMS),
    tokenBySharedSecret(KEY, CLAIMS),
  ];
  const again = Date.now() + 2 * CACHE_MILLIS;
  while (Date.now() < again) {
    for (const forged of forgeries) assert.equal((await ask({ token: forged })).seen, undefined);
    assert.equal((await ask({ token: right })).status, 200);
  }
});

async function serverCertificate(host: string) {
  const made = await createServerCertificate({
    usage: "server",
    commonName: host,
    hosts: [host],
    keyType: "ecdsa-p256",
    validitySeconds: 3_600,
    now: new Date(),
  });
  assert.ok(made.ok);
  return made.value;
}

async function serveKeys(
  t: TestContext,
  own: { readonly certificatePem: string; readonly keyPem: string },
): Promise<{ readonly port: number; readonly stop: () => void }> {
  const server = createSecureServer({ cert: own.certificatePem, key: own.keyPem }, (_, answer) =>
    answer.setHeader("content-type", "application/json").end(jwksOf(KEY)),
  ).listen(0, "127.0.0.1");
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  t.after(stop);
  await once(server, "listening");
  return { ...(server.address() as { readonly port: number }), stop };
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  server.close();
  return port;
}

test("meshJwt asks callers for different things", async (t) => {
  const application = createServer((_, answer) => answer.end()).listen(0, "127.0.0.1");
  t.after(() => application.close());
  await once(application, "listening");
  const { port } = application.address() as { readonly port: number };
  const exact = (value: string) => [{ spiffeID: { type: "Exact", value } }];
  const rules = [
    { default: { providers: [provider] } },
    { matches: exact("spiffe://default/monitoring"), default: { enabled: false } },
    {
      matches: exact("spiffe://default/guest"),
      default: { requireClaims: [{ claim: "role", values: ["guest"] }] },
    },
  ];
  const mesh = `
type: Mesh
name: default
mtls: { enabledBackend: ca, backends: [{ name: ca, type: builtin }] }
---
type: Dataplane
name: backend-1
networking:
  address: 127.0.0.2
  inbound: [{ port: 8080, servicePort: 18080, name: api, protocol: http }]
---
type: MeshTrafficPermission
name: callers
spec: { rules: [{ default: { allow: [{ spiffeID: { type: Prefix, value: "spiffe://default/" } }] } }] }
---
type: MeshJWT
name: tokens
spec: { rules: ${JSON.stringify(rules)} }
`;
  const authority = await meshCertificates();
  const ports = await runEnvoy(t, compileYaml(mesh, policies), {
    endpoints: { self_inbound_dp_api: port },
    secrets: { ...(await authority.issue("spiffe://default/backend")), ...authority },
  });
  const status = async (caller: string, carried?: string): Promise<number | undefined> => {
    const { certificatePem, keyPem } = await authority.issue(`spiffe://default/${caller}`);
    const asked = secureRequest({
      host: "127.0.0.1",
      port: ports.get("self_inbound_dp_api"),
      agent: false,
      cert: certificatePem,
      key: keyPem,
      rejectUnauthorized: false,
      headers: carried === undefined ? {} : { authorization: `Bearer ${carried}` },
    }).end();
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    answer.resume();
    return answer.statusCode;
  };
  const admin = token(KEY, CLAIMS);
  const guest = token(KEY, { ...CLAIMS, role: "guest" });
  assert.deepEqual([await status("web"), await status("web", admin)], [401, 200]);
  assert.equal(await status("monitoring"), 200);
  assert.deepEqual(
    [await status("guest", admin), await status("guest", guest), await status("guest")],
    [403, 200, 401],
  );
});
