import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { connect, createServer as createTlsServer, type ConnectionOptions, type TLSSocket } from "node:tls";
import { compileYaml } from "@heddle/engine/testkit/compile-yaml.ts";
import { type Certificate, meshCertificates } from "@heddle/engine/testkit/mesh-certificates.ts";
import { runEnvoy } from "@heddle/engine/testkit/run-envoy.ts";
import { policies } from "../index.ts";

const mesh = (...specs: readonly string[]): string => `
type: Mesh
name: default
mtls: { enabledBackend: ca, backends: [{ name: ca, type: builtin }] }
---
type: Dataplane
name: backend-1
networking:
  address: 127.0.0.2
  inbound:
    - { port: 8080, servicePort: 18080, name: open, protocol: http }
    - { port: 8081, servicePort: 18080, name: closed, protocol: http }
  outbound: [{ port: 10001, backendRef: { kind: MeshService, name: store, port: 80 } }]
---
type: MeshService
name: store
spec: { selector: {}, ports: [{ port: 80, appProtocol: http }] }
---
type: MeshTrafficPermission
name: all
spec: { rules: [{ default: { allow: [{ spiffeID: { type: Prefix, value: "spiffe://default/" } }] } }] }
${specs.map((spec, index) => `---\ntype: MeshTLS\nname: tls-${index}\nspec: ${spec}\n`).join("")}`;

async function startApplication(t: TestContext): Promise<number> {
  const application = createServer((request, answer) =>
    answer.end(String(request.headers["x-forwarded-client-cert"] ?? "nobody")),
  ).listen(0, "127.0.0.1");
  t.after(() => application.close());
  await once(application, "listening");
  return (application.address() as AddressInfo).port;
}

/** What a caller and a server of the mesh agree on, or what went wrong. */
async function handshake(port: number | undefined, caller: Certificate, options: ConnectionOptions): Promise<string> {
  const socket = connect({
    host: "127.0.0.1",
    port: port ?? 0,
    cert: caller.certificatePem,
    key: caller.keyPem,
    rejectUnauthorized: false,
    ALPNProtocols: ["kuma"],
    ...options,
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.once("secureConnect", () => resolve(`${socket.getProtocol()} ${socket.getCipher().standardName}`));
  socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  return await promise.finally(() => socket.destroy());
}

test("meshTls lets plain text into a port that it opens, and into no other", async (t) => {
  const open = "{ targetRef: { kind: Dataplane, sectionName: open }, rules: [{ default: { mode: Permissive } }] }";
  const authority = await meshCertificates();
  const port = await startApplication(t);
  const ports = await runEnvoy(t, compileYaml(mesh(open), policies), {
    endpoints: { self_inbound_dp_open: port, self_inbound_dp_closed: port },
    secrets: { ...(await authority.issue("spiffe://default/backend")), ...authority },
  });
  const plain = async (name: string): Promise<string> => {
    const asked = get({ host: "127.0.0.1", port: ports.get(`self_inbound_dp_${name}`), agent: false });
    const { promise, resolve } = Promise.withResolvers<string>();
    asked.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    asked.on("response", (answer: IncomingMessage) => answer.on("data", (body: Buffer) => resolve(body.toString())));
    return await promise;
  };
  assert.equal(await plain("open"), "nobody");
  assert.equal(await plain("closed"), "ECONNRESET");
  const caller = await authority.issue("spiffe://default/web");
  for (const name of ["open", "closed"]) {
    const agreed = await handshake(ports.get(`self_inbound_dp_${name}`), caller, {});
    assert.match(agreed, /^TLSv1.3 /, "mutual TLS is accepted either way");
  }
});

const NONE = "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION";
const versions: readonly (readonly [string, Readonly<Record<"TLSv1.2" | "TLSv1.3", string>>])[] = [
  ["{}", { "TLSv1.2": NONE, "TLSv1.3": "TLSv1.3 TLS_AES_128_GCM_SHA256" }],
  [
    "{ tlsVersion: { min: TLS12 }, tlsCiphers: [ECDHE-ECDSA-AES256-GCM-SHA384] }",
    { "TLSv1.2": "TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLSv1.3": "TLSv1.3 TLS_AES_128_GCM_SHA256" },
  ],
  [
    // Of the RSA kind, as a policy for Kuma would say; the certificates here are ECDSA.
    "{ tlsVersion: { max: TLS12 }, tlsCiphers: [ECDHE-RSA-CHACHA20-POLY1305] }",
    { "TLSv1.2": "TLSv1.2 TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLSv1.3": NONE },
  ],
];

for (const [conf, expected] of versions) {
  test(`meshTls makes both ends of a connection speak what it says: ${conf}`, async (t) => {
    const authority = await meshCertificates();
    const server = await recordingServer(t, await authority.issue("spiffe://default/store"));
    const ports = await runEnvoy(t, compileYaml(mesh(`{ rules: [{ default: ${conf} }] }`), policies), {
      endpoints: { kri_msvc_default___store_80: server.port },
      secrets: { ...(await authority.issue("spiffe://default/backend")), ...authority },
    });
    const caller = await authority.issue("spiffe://default/web");
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      await t.test(`an inbound towards a caller with ${version}`, async () => {
        const agreed = await handshake(ports.get("self_inbound_dp_closed"), caller, {
          minVersion: version,
          maxVersion: version,
          ciphers: "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384",
        });
        assert.equal(agreed, expected[version]);
      });
    }
    await t.test("an outbound towards a server that would take either", async () => {
      const asked = get({ host: "127.0.0.1", port: ports.get("kri_msvc_default___store_80:10001"), agent: false });
      asked.on("error", () => undefined).on("response", (answer: IncomingMessage) => answer.resume());
      const best = expected["TLSv1.3"] === NONE ? expected["TLSv1.2"] : expected["TLSv1.3"];
      assert.equal(await server.agreed, best);
    });
  });
}

/** A server of the mesh that takes TLS 1.2 and 1.3, and tells what the first client agreed to. */
async function recordingServer(
  t: TestContext,
  { certificatePem, keyPem }: Certificate,
): Promise<{ readonly port: number; readonly agreed: Promise<string> }> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const ciphers = "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305";
  const server = createTlsServer(
    { cert: certificatePem, key: keyPem, ALPNProtocols: ["kuma"], ciphers, minVersion: "TLSv1.2" },
    (socket: TLSSocket) => {
      resolve(`${socket.getProtocol()} ${socket.getCipher().standardName}`);
      socket.destroy();
    },
  ).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, agreed: promise };
}
