/** Real TLS over loopback: what the certificates are for. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { connect, createServer, type PeerCertificate, type TLSSocket } from "node:tls";
import type { Ca } from "./ca.ts";
import type { CertificateAndKey } from "./certificate.ts";
import type { KeyType } from "./key-pair.ts";
import { issueCertificate } from "./leaf.ts";
import { loadCa } from "./load-ca.ts";
import { createServerCertificate } from "./server-certificate.ts";
import { newCa, newIntermediate, NOW, valueOf } from "./testkit.ts";

for (const keyType of ["ecdsa-p256", "rsa-2048"] satisfies KeyType[]) {
  test(`issueCertificate() by a ${keyType} CA makes both sides of mutual TLS know each other`, async (context) => {
    const ca = await newCa("default", keyType);
    const port = await serve(context, await workload(ca, "backend"), ca);
    const { server, client } = await call(port, await workload(ca, "frontend"), ca, "spiffe://default/backend");
    assert.equal(server, "spiffe://default/backend");
    assert.equal(client, "spiffe://default/frontend");
  });
}

test("issueCertificate() lets a client tell the right server from another one of the mesh", async (context) => {
  const ca = await newCa();
  const port = await serve(context, await workload(ca, "backend"), ca);
  const wrong = call(port, await workload(ca, "frontend"), ca, "spiffe://default/payments");
  await assert.rejects(wrong, /expected spiffe:\/\/default\/payments/);
});

test("issueCertificate() of another mesh's CA of the same name is refused by both sides", async (context) => {
  const [ca, other] = [await newCa(), await newCa()];
  const port = await serve(context, await workload(ca, "backend"), ca);
  const asClient = call(port, await workload(other, "frontend"), ca, "spiffe://default/backend");
  await assert.rejects(asClient, /alert|ECONNRESET|EPIPE|closed/i);
  const asServer = call(port, await workload(ca, "frontend"), other, "spiffe://default/backend");
  await assert.rejects(asServer, /certificate|signature/i);
});

test("issueCertificate() by an intermediate is trusted by those who know the root", async (context) => {
  const root = await newCa();
  const pair = await newIntermediate(root);
  const ca = valueOf(loadCa({ ...pair, certificatePem: pair.certificatePem + root.certificatePem }, NOW));
  const port = await serve(context, await workload(ca, "backend"), root);
  const { client } = await call(port, await workload(ca, "frontend"), root, "spiffe://default/backend");
  assert.equal(client, "spiffe://default/frontend");
});

for (const keyType of ["ecdsa-p256", "rsa-2048"] satisfies KeyType[]) {
  test(`createServerCertificate() with a ${keyType} key is its own trust anchor, for its hosts only`, async (context) => {
    const hosts = ["cp.example.com", "*.mesh.example.com", "127.0.0.1", "::1"];
    const pair = await serverCertificate(hosts, keyType);
    const port = await serve(context, pair);
    for (const servername of ["cp.example.com", "zone-1.mesh.example.com"]) {
      await callPlainly(port, pair.certificatePem, servername);
    }
    await callPlainly(port, pair.certificatePem, undefined);
    await assert.rejects(callPlainly(port, pair.certificatePem, "example.com"), /does not match certificate/);
    const another = await serverCertificate(hosts, keyType);
    await assert.rejects(callPlainly(port, another.certificatePem, "cp.example.com"), /self-signed|signature/);
  });
}

async function workload(ca: Ca, service: string): Promise<CertificateAndKey> {
  const uris = [`spiffe://default/${service}`, `kuma://kuma.io/service/${service}`];
  return issueCertificate(ca, { uris, validitySeconds: 60, usages: ["server", "client"], now: NOW });
}

async function serverCertificate(hosts: readonly string[], keyType: KeyType): Promise<CertificateAndKey> {
  const request = { usage: "server", commonName: "heddle", hosts, keyType, validitySeconds: 60, now: NOW } as const;
  return valueOf(await createServerCertificate(request));
}

/** Answers each caller with the caller's own SPIFFE ID, and asks for a certificate when it has a CA to check it by. */
async function serve(context: TestContext, own: CertificateAndKey, clientCa?: Ca): Promise<number> {
  const identify = { cert: own.certificatePem, key: own.keyPem };
  const checks = clientCa && { requestCert: true, rejectUnauthorized: true, ca: clientCa.trustAnchorPem };
  const server = createServer({ ...identify, ...checks }, (socket) => {
    socket.on("error", () => {});
    socket.end(clientCa === undefined ? "hello" : spiffeIdOf(socket.getPeerCertificate()));
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "localhost");
  await once(server, "listening");
  context.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function call(port: number, own: CertificateAndKey, serverCa: Ca, expected: string): Promise<Peers> {
  const socket = connect({
    host: "localhost",
    port,
    cert: own.certificatePem,
    key: own.keyPem,
    ca: serverCa.trustAnchorPem,
    checkServerIdentity: (_host, certificate) =>
      spiffeIdOf(certificate) === expected ? undefined : new Error(`expected ${expected}`),
  });
  const client = await answer(socket, () => spiffeIdOf(socket.getPeerCertificate()));
  return { server: client.seen, client: client.text };
}

interface Peers {
  readonly server: string;
  readonly client: string;
}

/** As a data plane proxy calls its control plane: by name or address, trusting one certificate. */
async function callPlainly(port: number, trusted: string, servername: string | undefined): Promise<void> {
  const host = servername === undefined ? "127.0.0.1" : "localhost";
  const socket = connect({ host, port, ca: trusted, ...(servername !== undefined && { servername }) });
  assert.equal((await answer(socket, () => "")).text, "hello");
}

async function answer(
  socket: TLSSocket,
  look: () => string,
): Promise<{ readonly seen: string; readonly text: string }> {
  try {
    await once(socket, "secureConnect");
    const seen = look();
    const chunks = await socket.setEncoding("utf8").toArray();
    if (chunks.length === 0) throw new Error("closed without an answer");
    return { seen, text: chunks.join("") };
  } finally {
    socket.destroy();
  }
}

function spiffeIdOf(certificate: PeerCertificate): string {
  const names = (certificate.subjectaltname ?? "").split(", ");
  return names.find((name) => name.startsWith("URI:spiffe://"))?.slice("URI:".length) ?? "";
}
