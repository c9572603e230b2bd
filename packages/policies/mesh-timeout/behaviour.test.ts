import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import { compileYaml } from "@heddle/engine/testkit/compile-yaml.ts";
import { meshCertificates } from "@heddle/engine/testkit/mesh-certificates.ts";
import { runEnvoy } from "@heddle/engine/testkit/run-envoy.ts";
import { policies } from "../index.ts";

// Which caller a request is from is read from a header that the proxy writes: this shows that it writes it before it
// picks a route, and that nobody gets another one's patience by writing it himself.
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
name: everybody
spec:
  rules: [{ default: { allow: [{ spiffeID: { type: Prefix, value: "spiffe://default/" } }] } }]
---
type: MeshTimeout
name: patience
spec:
  rules:
    - default: { http: { requestTimeout: 100ms } }
    - matches:
        - spiffeID: { type: Exact, value: "spiffe://default/batch" }
        - spiffeID: { type: Prefix, value: "spiffe://default/report-" }
        - sni: { type: Exact, value: slow.backend }
      default: { http: { requestTimeout: 10s } }
`;

interface Call {
  readonly uris: readonly string[];
  readonly serverName?: string;
  readonly headers?: Record<string, string>;
}
const forged = { "x-forwarded-client-cert": "By=spiffe://default/backend;Hash=0;URI=spiffe://default/batch" };
const cases: readonly (readonly [string, Call, number])[] = [
  ["a caller without a rule is given up on", { uris: ["spiffe://default/web"] }, 504],
  ["a caller by its identity is waited for", { uris: ["spiffe://default/batch"] }, 200],
  ["so is one with further identities", { uris: ["spiffe://default/batch", "kuma://version/v1"] }, 200],
  ["so is one whose other identity it is", { uris: ["spiffe://default/web", "spiffe://default/batch"] }, 200],
  ["a name that only starts like it is another", { uris: ["spiffe://default/batches"] }, 504],
  ["a caller by a prefix is waited for", { uris: ["spiffe://default/report-daily"] }, 200],
  ["a caller by its server name is waited for", { uris: ["spiffe://default/web"], serverName: "slow.backend" }, 200],
  ["a forged header changes nothing", { uris: ["spiffe://default/web"], headers: forged }, 504],
];

test("meshTimeout waits as long as its rules say for each caller", { timeout: 60_000 }, async (t) => {
  const authority = await meshCertificates();
  const application = createServer(async (_, answer) => {
    await sleep(400);
    answer.end("done");
  }).listen(0, "127.0.0.1");
  t.after(() => application.close());
  await once(application, "listening");
  const ports = await runEnvoy(t, compileYaml(mesh, policies), {
    endpoints: { self_inbound_dp_api: (application.address() as { readonly port: number }).port },
    secrets: { ...(await authority.issue("spiffe://default/backend")), ...authority },
  });
  for (const [what, { uris, serverName = "backend", headers = {} }, status] of cases) {
    await t.test(what, async () => {
      const { certificatePem, keyPem } = await authority.issue(...uris);
      const tls = { cert: certificatePem, key: keyPem, servername: serverName, rejectUnauthorized: false };
      const asked = request({
        host: "127.0.0.1",
        port: ports.get("self_inbound_dp_api"),
        agent: false,
        headers,
        ...tls,
      });
      const [answer] = (await once(asked.end(), "response")) as [import("node:http").IncomingMessage];
      answer.resume();
      assert.equal(answer.statusCode, status);
    });
  }
});
