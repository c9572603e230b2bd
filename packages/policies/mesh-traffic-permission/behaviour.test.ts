import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { request } from "node:https";
import { connect } from "node:tls";
import { test } from "node:test";
import { compileYaml } from "@heddle/engine/testkit/compile-yaml.ts";
import { type Certificate, meshCertificates } from "@heddle/engine/testkit/mesh-certificates.ts";
import { runEnvoy } from "@heddle/engine/testkit/run-envoy.ts";
import { policies } from "../index.ts";

// The laws in explain.test.ts compare our verdicts with what Envoy's documentation says of its rules. This compares both
// with Envoy itself, on the two kinds of ports, by certificate and by server name.
const mesh = `
type: Mesh
name: default
mtls: { enabledBackend: ca, backends: [{ name: ca, type: builtin }] }
---
type: Dataplane
name: backend-1
networking:
  address: 127.0.0.2
  inbound:
    - { port: 8080, servicePort: 18080, name: api, protocol: http, tags: { kuma.io/service: backend } }
    - { port: 9000, servicePort: 19000, name: raw, protocol: tcp, tags: { kuma.io/service: backend } }
    - { port: 9090, servicePort: 19090, name: old, protocol: http, tags: { kuma.io/service: legacy } }
---
`;
const rules = `
type: MeshTrafficPermission
name: rules
spec:
  targetRef: { kind: MeshService, name: backend }
  rules:
    - default:
        allow:
          - spiffeID: { type: Prefix, value: "spiffe://default/web" }
          - { spiffeID: { type: Exact, value: "spiffe://default/a.b" }, sni: { type: Exact, value: public } }
        deny:
          - { spiffeID: { type: Exact, value: "spiffe://default/web-guest" }, sni: { type: Exact, value: admin } }
          - spiffeID: { type: Exact, value: "spiffe://default/web-banned" }
        allowWithShadowDeny: [{ spiffeID: { type: Exact, value: "spiffe://default/batch" } }]
---
type: MeshTrafficPermission
name: from
spec:
  targetRef: { kind: MeshService, name: legacy }
  from:
    - { targetRef: { kind: MeshSubset, tags: { team: "*" } }, default: { action: Allow } }
    - { targetRef: { kind: MeshService, name: web-guest }, default: { action: Deny } }
`;

type Port = "api" | "raw" | "old";
const cases: readonly (readonly [Port, readonly string[], string, boolean])[] = [
  ["api", ["spiffe://default/web"], "admin", true],
  ["api", ["spiffe://default/web-guest"], "public", true],
  ["api", ["spiffe://default/web-guest"], "admin", false],
  ["api", ["spiffe://default/web-banned"], "public", false],
  ["api", ["spiffe://default/web", "spiffe://default/web-banned"], "public", false],
  ["api", ["spiffe://default/a.b"], "public", true],
  ["api", ["spiffe://default/a.b"], "admin", false],
  ["api", ["spiffe://default/axb"], "public", false],
  ["api", ["spiffe://default/batch"], "public", true],
  ["api", ["spiffe://default/stranger"], "public", false],
  ["raw", ["spiffe://default/web-guest"], "public", true],
  ["raw", ["spiffe://default/web-guest"], "admin", false],
  ["raw", ["spiffe://default/stranger"], "public", false],
  ["raw", ["spiffe://default/batch"], "public", true],
  ["old", ["spiffe://default/web", "kuma://team/a"], "public", true],
  ["old", ["spiffe://default/web"], "public", false],
  ["old", ["spiffe://default/web-guest", "kuma://team/a"], "public", false],
];

test("meshTrafficPermission lets in whom it names and nobody else", { timeout: 60_000 }, async (t) => {
  const authority = await meshCertificates();
  const application = createServer((_, answer) => answer.end("hello")).listen(0, "127.0.0.1");
  t.after(() => application.close());
  await once(application, "listening");
  const { port } = application.address() as { readonly port: number };
  const clusters = ["api", "raw", "old"].map((name) => [`self_inbound_dp_${name}`, port]);
  const ports = await runEnvoy(t, compileYaml(mesh + rules, policies), {
    endpoints: Object.fromEntries(clusters) as Record<string, number>,
    secrets: { ...(await authority.issue("spiffe://default/backend")), ...authority },
    admin: true,
  });
  for (const [name, uris, serverName, passes] of cases) {
    await t.test(`${uris.join(" ")} ${passes ? "may" : "may not"} call ${name} as ${serverName}`, async () => {
      const caller = {
        ...(await authority.issue(...uris)),
        port: ports.get(`self_inbound_dp_${name}`) ?? 0,
        serverName,
      };
      const outcome = name === "raw" ? await bytesFrom(caller) : await statusFrom(caller);
      const expected = name === "raw" ? (passes ? "HTTP/1.1 200 OK" : "") : passes ? 200 : 403;
      assert.equal(outcome, expected);
    });
  }
  await t.test("a shadow denial is counted, also for the permission that wants it, and no real denial is", async () => {
    const answer = await fetch(`http://127.0.0.1:${ports.get("admin")}/stats?filter=shadow_denied&format=json`);
    const { stats } = (await answer.json()) as { readonly stats: readonly { name: string; value: number }[] };
    const counted = stats.filter(({ value }) => value > 0).map(({ name, value }) => `${name}: ${value}`);
    assert.deepEqual(counted.toSorted(), [
      "http.self_inbound_dp_api.rbac.policy.kri_mtp_default___rules_rule_0.shadow_denied: 1",
      "http.self_inbound_dp_api.rbac.shadow_denied: 1",
      "self_inbound_dp_raw.rbac.shadow_denied: 1",
    ]);
  });
});

interface Call extends Certificate {
  readonly port: number;
  readonly serverName: string;
}

function tlsOptions({ certificatePem, keyPem, port, serverName }: Call) {
  // Who answers is not the question here.
  return {
    host: "127.0.0.1",
    port,
    cert: certificatePem,
    key: keyPem,
    servername: serverName,
    rejectUnauthorized: false,
  };
}

async function statusFrom(call: Call): Promise<number | undefined> {
  const asked = request({ ...tlsOptions(call), agent: false }).end();
  const [answer] = (await once(asked, "response")) as [import("node:http").IncomingMessage];
  answer.resume();
  return answer.statusCode;
}

/** The first line that comes back, before the proxy closes the connection. */
async function bytesFrom(call: Call): Promise<string> {
  const socket = connect(tlsOptions(call));
  socket.end("GET / HTTP/1.0\r\n\r\n");
  let received = "";
  socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on("error", () => resolve()).on("close", () => resolve());
  await promise;
  return received.split("\r\n")[0] ?? "";
}
