import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request, type IncomingMessage } from "node:http";
import { request as secureRequest } from "node:https";
import { connect } from "node:net";
import { test, type TestContext } from "node:test";
import { compileYaml } from "@heddle/engine/testkit/compile-yaml.ts";
import { meshCertificates } from "@heddle/engine/testkit/mesh-certificates.ts";
import { runEnvoy } from "@heddle/engine/testkit/run-envoy.ts";
import { policies } from "../index.ts";

// Intervals of an hour: no bucket fills up again while the test counts.
const proxy = `
type: Dataplane
name: backend-1
networking:
  address: 127.0.0.2
  inbound:
    - { port: 8080, servicePort: 18080, name: api, protocol: http }
    - { port: 9000, servicePort: 19000, name: raw, protocol: tcp }
    - { port: 9090, servicePort: 19090, name: few, protocol: http }
`;
const open = `
type: Mesh
name: default
---${proxy}---
type: MeshRateLimit
name: requests
spec:
  targetRef: { kind: Dataplane, sectionName: api }
  rules:
    - default:
        local:
          http:
            requestRate: { num: 3, interval: 1h }
            onRateLimit:
              headers: { set: [{ name: retry-after, value: "60" }], add: [{ name: x-why, value: 100% busy }] }
---
type: MeshRateLimit
name: connections
spec:
  rules: [{ default: { local: { tcp: { connectionRate: { num: 2, interval: 1h } } } } }]
---
type: MeshRateLimit
name: any-number-of-connections
spec:
  targetRef: { kind: Dataplane, sectionName: api }
  rules: [{ default: { local: { tcp: { disabled: true } } } }]
`;
const secure = `
type: Mesh
name: default
mtls: { enabledBackend: ca, backends: [{ name: ca, type: builtin }] }
---${proxy}---
type: MeshTrafficPermission
name: callers
spec:
  rules:
    - default:
        allow:
          - spiffeID: { type: Exact, value: "spiffe://default/web" }
          - spiffeID: { type: Exact, value: "spiffe://default/batch" }
          - spiffeID: { type: Prefix, value: "spiffe://default/guest-" }
---
type: MeshRateLimit
name: limits
spec:
  rules:
    - default: { local: { http: { requestRate: { num: 1, interval: 1h }, onRateLimit: { status: 503 } } } }
    - matches: [{ spiffeID: { type: Exact, value: "spiffe://default/batch" } }]
      default: { local: { http: { disabled: true } } }
    - matches: [{ spiffeID: { type: Prefix, value: "spiffe://default/guest" } }]
      default: { local: { http: { requestRate: { num: 2, interval: 1h } } } }
`;

async function startApplication(t: TestContext): Promise<number> {
  const application = createServer((_, answer) => answer.end("hello")).listen(0, "127.0.0.1");
  t.after(() => application.close());
  await once(application, "listening");
  return (application.address() as { readonly port: number }).port;
}

test("meshRateLimit answers what is over the limit, with the status and headers it says", async (t) => {
  const port = await startApplication(t);
  const endpoints = { self_inbound_dp_api: port, self_inbound_dp_raw: port, self_inbound_dp_few: port };
  const ports = await runEnvoy(t, compileYaml(open, policies), { endpoints });
  await t.test("requests", async () => {
    const answers: IncomingMessage[] = [];
    for (let count = 0; count < 5; count++) answers.push(await get(ports.get("self_inbound_dp_api")));
    assert.deepEqual(
      answers.map(({ statusCode }) => statusCode),
      [200, 200, 200, 429, 429],
    );
    const { headers } = answers[4] ?? {};
    assert.deepEqual([headers?.["retry-after"], headers?.["x-why"]], ["60", "100% busy"]);
    assert.equal(answers[0]?.headers["retry-after"], undefined);
  });
  for (const name of ["raw", "few"]) {
    await t.test(`connections to ${name}`, async () => {
      // One connection was made when the test looked whether Envoy is there.
      const received: string[] = [];
      for (let count = 0; count < 3; count++) received.push(await firstLine(ports.get(`self_inbound_dp_${name}`)));
      assert.deepEqual(received, ["HTTP/1.1 200 OK", "", ""]);
    });
  }
});

test("meshRateLimit counts callers apart whom its rules tell apart", async (t) => {
  const authority = await meshCertificates();
  const ports = await runEnvoy(t, compileYaml(secure, policies), {
    endpoints: { self_inbound_dp_api: await startApplication(t) },
    secrets: { ...(await authority.issue("spiffe://default/backend")), ...authority },
  });
  const cases: readonly (readonly [string, readonly number[]])[] = [
    ["spiffe://default/web", [200, 503, 503]],
    ["spiffe://default/batch", [200, 200, 200]],
    ["spiffe://default/guest-a", [200, 200, 503]],
    ["spiffe://default/guest-b", [503, 503, 503]],
    // The permission still counts on routes of callers that have a limit of their own.
    ["spiffe://default/guest", [403, 403, 403]],
  ];
  for (const [uri, expected] of cases) {
    await t.test(`${uri} gets ${expected.join(", ")}`, async () => {
      const { certificatePem, keyPem } = await authority.issue(uri);
      const statuses: (number | undefined)[] = [];
      for (const _ of expected) {
        const asked = secureRequest({
          host: "127.0.0.1",
          port: ports.get("self_inbound_dp_api"),
          agent: false,
          cert: certificatePem,
          key: keyPem,
          rejectUnauthorized: false,
        }).end();
        const [answer] = (await once(asked, "response")) as [IncomingMessage];
        answer.resume();
        statuses.push(answer.statusCode);
      }
      assert.deepEqual(statuses, expected);
    });
  }
});

async function get(port: number | undefined): Promise<IncomingMessage> {
  const asked = request({ host: "127.0.0.1", port, agent: false }).end();
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  return answer.resume();
}

/** The first line that comes back, before the proxy closes the connection. */
async function firstLine(port: number | undefined): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: port ?? 0 });
  let received = "";
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
  socket.on("error", () => resolve()).on("close", () => resolve());
  socket.write("GET / HTTP/1.1\r\nhost: backend\r\nconnection: close\r\n\r\n");
  await promise;
  return received.split("\r\n")[0] ?? "";
}
