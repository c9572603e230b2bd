import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { request } from "node:https";
import { createServer as createTcpServer } from "node:net";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { connect } from "node:tls";
import { compileYaml } from "@heddle/engine/testkit/compile-yaml.ts";
import { meshCertificates } from "@heddle/engine/testkit/mesh-certificates.ts";
import { runEnvoy } from "@heddle/engine/testkit/run-envoy.ts";
import { policies } from "../index.ts";
import { startAuthorizationService } from "./testkit/authorization-service.ts";

const WEB = "spiffe://default/web";
const mesh = (policy: string): string => `
type: Mesh
name: default
mtls: { enabledBackend: ca, backends: [{ name: ca, type: builtin }] }
---
type: Dataplane
name: backend-1
networking:
  address: 127.0.0.2
  inbound:
    - { port: 8080, servicePort: 18080, name: api, protocol: http }
    - { port: 8081, servicePort: 18081, name: lenient, protocol: http }
    - { port: 9000, servicePort: 19000, name: raw, protocol: tcp }
---
type: MeshTrafficPermission
name: callers
spec:
  rules:
    - default:
        allow: [{ spiffeID: { type: Prefix, value: "spiffe://default/" } }]
        deny: [{ spiffeID: { type: Exact, value: "spiffe://default/banned" } }]
---
${policy}`;
const overGrpc = (port: number): string => `
type: MeshExtAuthz
name: authz
spec:
  rules:
    - default:
        grpc: { target: "127.0.0.1:${port}", timeout: 5s }
        statusOnError: 503
        contextExtensions: { tenant: blue }
        includeBody: { maxBytes: 8 }
    - matches: [{ spiffeID: { type: Exact, value: "spiffe://default/monitoring" } }]
      default: { enabled: false }
---
type: MeshExtAuthz
name: lenient
spec:
  targetRef: { kind: Dataplane, sectionName: lenient }
  rules: [{ default: { failureMode: Allow, includeBody: { maxBytes: 8, allowPartial: true } } }]
`;

interface Lab {
  /** What a caller gets, and what the application saw of it. */
  readonly ask: (caller: string, path: string, more?: Question) => Promise<Answer>;
  /** Whether a caller's connection to port "raw" is echoed. */
  readonly echo: (caller: string) => Promise<boolean>;
}
interface Question {
  readonly port?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}
interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly seen: IncomingHttpHeaders | undefined;
}

async function startLab(t: TestContext, policy: string): Promise<Lab> {
  const seen: IncomingHttpHeaders[] = [];
  const application = createServer((asked, answer) => {
    seen.push(asked.headers);
    asked.resume().on("end", () => answer.end("hello"));
  }).listen(0, "127.0.0.1");
  const echo = createTcpServer((socket) => socket.pipe(socket).on("error", () => undefined)).listen(0, "127.0.0.1");
  t.after(() => void [application.close(), echo.close()]);
  const port = (server: { address: () => unknown }): number => (server.address() as { readonly port: number }).port;
  await Promise.all([once(application, "listening"), once(echo, "listening")]);
  const authority = await meshCertificates();
  const ports = await runEnvoy(t, compileYaml(mesh(policy), policies), {
    endpoints: {
      self_inbound_dp_api: port(application),
      self_inbound_dp_lenient: port(application),
      self_inbound_dp_raw: port(echo),
    },
    secrets: { ...(await authority.issue("spiffe://default/backend")), ...authority },
  });
  const options = async (caller: string, name: string) => {
    const { certificatePem, keyPem } = await authority.issue(caller);
    const address = { host: "127.0.0.1", port: ports.get(`self_inbound_dp_${name}`) ?? 0 };
    return { ...address, agent: false as const, cert: certificatePem, key: keyPem, rejectUnauthorized: false };
  };
  return {
    ask: async (caller, path, { port: name = "api", headers = {}, body } = {}) => {
      seen.length = 0;
      const method = body === undefined ? "GET" : "POST";
      const asked = request({ ...(await options(caller, name)), path, method, headers }).end(body);
      const [answer] = (await once(asked, "response")) as [IncomingMessage];
      return { status: answer.statusCode, headers: answer.headers, body: await text(answer), seen: seen[0] };
    },
    echo: async (caller) => {
      const socket = connect({ ...(await options(caller, "raw")), ALPNProtocols: ["kuma"] });
      const { promise, resolve } = Promise.withResolvers<boolean>();
      socket
        .on("data", () => resolve(true))
        .on("error", () => resolve(false))
        .on("close", () => resolve(false));
      socket.write("hello?");
      return promise.finally(() => socket.destroy());
    },
  };
}

test("meshExtAuthz asks a gRPC service about requests and connections, and does as it says", async (t) => {
  const service = await startAuthorizationService(t, ({ attributes }) => {
    const http = attributes?.request?.http;
    const mayConnect = attributes?.source?.principal === WEB;
    if (http === undefined || http.path === "") return { status: { code: mayConnect ? 0 : 7 } };
    if (http.path !== "/secret") {
      const header = { key: "x-user", value: "alice" };
      return { status: { code: 0 }, httpResponse: { case: "okResponse", value: { headers: [{ header }] } } };
    }
    const value = {
      status: { code: 401 },
      body: "show yourself",
      headers: [{ header: { key: "x-why", value: "no" } }],
    };
    return { status: { code: 16 }, httpResponse: { case: "deniedResponse", value } };
  });
  const lab = await startLab(t, overGrpc(service.port));
  const count = async (action: () => Promise<unknown>): Promise<number> => {
    const before = service.asked.length;
    await action();
    return service.asked.length - before;
  };

  await t.test("a request that it allows reaches the application with its headers", async () => {
    const { status, seen } = await lab.ask(WEB, "/open?a=1", { headers: { "x-user": "forged" } });
    assert.deepEqual([status, seen?.["x-user"]], [200, "alice"]);
    const { attributes } = service.asked.at(-1) ?? {};
    assert.equal(attributes?.source?.principal, WEB);
    assert.equal(attributes?.request?.http?.path, "/open?a=1");
    assert.equal(attributes?.request?.http?.headers["x-user"], "forged");
    assert.deepEqual(attributes?.contextExtensions, { tenant: "blue" });
  });
  await t.test("a request that it denies gets its answer and reaches nobody", async () => {
    const { status, headers, body, seen } = await lab.ask(WEB, "/secret");
    assert.deepEqual([status, headers["x-why"], body, seen], [401, "no", "show yourself", undefined]);
  });
  await t.test("it sees the body, and one that is too long is refused or cut", async () => {
    await lab.ask(WEB, "/open", { body: "12345678" });
    assert.equal(service.asked.at(-1)?.attributes?.request?.http?.body, "12345678");
    assert.equal((await lab.ask(WEB, "/open", { body: "123456789" })).status, 413);
    await lab.ask(WEB, "/open", { body: "123456789", port: "lenient" });
    assert.equal(service.asked.at(-1)?.attributes?.request?.http?.body, "12345678");
  });
  await t.test("it never hears of a caller whom permissions deny, and not of one who is excepted", async () => {
    const banned = "spiffe://default/banned";
    assert.equal(await count(async () => assert.equal((await lab.ask(banned, "/open")).status, 403)), 0);
    assert.equal(await count(async () => assert.equal(await lab.echo(banned), false)), 0);
    const monitoring = "spiffe://default/monitoring";
    assert.equal(await count(async () => assert.equal((await lab.ask(monitoring, "/secret")).status, 200)), 0);
    assert.equal(await count(async () => assert.equal((await lab.ask(`${monitoring}-2`, "/secret")).status, 401)), 1);
  });
  await t.test("it decides about connections, too", async () => {
    assert.equal(await lab.echo(WEB), true);
    assert.equal(await lab.echo("spiffe://default/guest"), false);
    assert.equal(service.asked.at(-1)?.attributes?.source?.principal, "spiffe://default/guest");
  });
  await t.test("without it nobody gets in, but where that is said", async () => {
    service.kill();
    assert.deepEqual(pick(await lab.ask(WEB, "/open")), [503, false]);
    assert.equal(await lab.echo(WEB), false);
    assert.deepEqual(pick(await lab.ask(WEB, "/secret", { port: "lenient" })), [200, true]);
  });
});

function pick({ status, seen }: Answer): readonly unknown[] {
  return [status, seen !== undefined];
}

test("meshExtAuthz asks an HTTP service", async (t) => {
  const asked: { readonly url: string | undefined; readonly headers: IncomingHttpHeaders }[] = [];
  const service = createServer(({ url, headers }, answer) => {
    asked.push({ url, headers });
    const isLoggedIn = headers.cookie === "session=1";
    const own = isLoggedIn ? { "x-user": "alice", "x-inner": "1" } : { location: "/login", "x-inner": "1" };
    answer.writeHead(isLoggedIn ? 200 : 302, own).end();
  }).listen(0, "127.0.0.1");
  await once(service, "listening");
  t.after(() => service.close());
  const { port } = service.address() as { readonly port: number };
  const lab = await startLab(
    t,
    `
type: MeshExtAuthz
name: authz
spec:
  rules:
    - default:
        http:
          url: http://127.0.0.1:${port}
          timeout: 5s
          pathPrefix: /check
          allowedHeaders: [cookie]
          headersToUpstream: [x-user]
          headersToDownstream: [location]
`,
  );
  const passed = await lab.ask(WEB, "/cart", { headers: { cookie: "session=1", "x-other": "1" } });
  assert.deepEqual([passed.status, passed.seen?.["x-user"], passed.seen?.["x-inner"]], [200, "alice", undefined]);
  assert.deepEqual([asked[0]?.url, asked[0]?.headers["x-other"]], ["/check/cart", undefined]);
  const denied = await lab.ask(WEB, "/cart", { headers: { "x-user": "alice" } });
  assert.deepEqual(
    [denied.status, denied.headers.location, denied.headers["x-inner"], denied.seen],
    [302, "/login", undefined, undefined],
  );
  service.closeAllConnections();
  service.close();
  assert.deepEqual(pick(await lab.ask(WEB, "/cart", { headers: { cookie: "session=1" } })), [403, false]);
});
