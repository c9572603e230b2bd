import assert from "node:assert/strict";
import { once } from "node:events";
import { performServerHandshake } from "node:http2";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect as connectPlain, type AddressInfo } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type ConnectionOptions, createServer as createSecureServer } from "node:tls";
import { createCa, meshCaRequest } from "@heddle/identity/ca.ts";
import type { CertificateAndKey } from "@heddle/identity/certificate.ts";
import { loadCa } from "@heddle/identity/load-ca.ts";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { fakeSidecar } from "../support/fake-sidecar.ts";
import { ALLOW_ALL, type Lab, meshService, mtls, startLab } from "../support/lab.ts";
import { asAuthority, certificateFor, certificateWithNul, stolenAuthority } from "../support/rogue-certificates.ts";
import { ask } from "../support/traffic.ts";

const ONLY_WEB = `
type: MeshTrafficPermission
mesh: default
name: only-web
spec:
  rules:
    - default:
        allow:
          - spiffeID: { type: Exact, value: "spiffe://default/web" }
`;
const OTHER_MESH = `
type: Mesh
name: other
mtls: { enabledBackend: ca-1, backends: [{ name: ca-1, type: builtin }] }
`;
/** What was answered: the status line, or nothing when the connection was refused. */
type Answered = string;

interface Call extends ConnectionOptions {
  readonly headers?: readonly string[];
}

/** One request over a connection that the caller shapes; "" when there was no answer. */
async function call(port: number, { headers = [], ...options }: Call): Promise<Answered> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options });
  return await conversation(socket, "secureConnect", headers);
}

async function conversation(
  socket: ReturnType<typeof connectPlain>,
  ready: string,
  headers: readonly string[],
): Promise<Answered> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = "";
  socket.setTimeout(5_000, () => socket.destroy());
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    if (text.includes("\r\n\r\n")) socket.destroy();
  });
  socket.once("close", () => resolve(text));
  socket.once(ready, () =>
    socket.write(["GET / HTTP/1.1", "host: backend", "connection: close", ...headers, "", ""].join("\r\n")),
  );
  return await promise;
}

const keys = ({ certificatePem, keyPem }: CertificateAndKey): { cert: string; key: string } => ({
  cert: certificatePem,
  key: keyPem,
});

async function startBackend(
  lab: Lab,
  t: Parameters<typeof application>[0],
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<number> {
  const app = await application(t, "backend", handle);
  const { inboundPort } = await lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port });
  return inboundPort;
}

test("spoofing: an inbound of a real Envoy lets in whom a permission names, by a certificate of its mesh, and nobody else", async (t) => {
  const lab = await startLab(t);
  await lab.apply([mtls(), ONLY_WEB, OTHER_MESH, meshService("backend")].join("---\n"));
  let served = 0;
  const port = await startBackend(lab, t, (_request, response) => {
    served += 1;
    response.end("secret");
  });
  const ca = await stolenAuthority(lab);
  const web = await certificateFor(ca, ["spiffe://default/web"]);
  const rogue = await certificateFor(ca, ["spiffe://default/rogue"]);
  const namesake = loadCa(await createCa(meshCaRequest("default", "ecdsa-p256", new Date())), new Date());
  assert.ok(namesake.ok);
  const otherMesh = await stolenAuthority(lab, "other");

  await eventually(async () => assert.match(await call(port, { ...keys(web), ALPNProtocols: ["kuma"] }), /200 OK/));
  served = 0;

  const denied: readonly (readonly [string, Call])[] = [
    ["with no protocol and no server name", {}],
    ["with the mesh's protocol", { ALPNProtocols: ["kuma"] }],
    ["with HTTP as protocol", { ALPNProtocols: ["http/1.1"] }],
    ["with the server name of the service", { servername: "backend.default.svc", ALPNProtocols: ["kuma"] }],
    ["with the server name of whom it would like to be", { servername: "web", ALPNProtocols: ["kuma"] }],
    [
      "with the header of a certificate that it does not have",
      { headers: ["x-forwarded-client-cert: URI=spiffe://default/web"] },
    ],
  ];
  for (const [what, options] of denied) {
    await t.test(`another service of the mesh is denied ${what}`, async () => {
      assert.match(await call(port, { ...keys(rogue), ...options }), /^HTTP\/1.1 403 /);
    });
  }
  const byName: readonly (readonly [string, CertificateAndKey])[] = [
    ["a NUL byte after the right name", await certificateWithNul(ca, "spiffe://default/web", ".rogue")],
    ["a NUL byte before the rest of the name", await certificateWithNul(ca, "spiffe://default/", "web")],
    ["a wildcard", await certificateFor(ca, ["spiffe://default/*"])],
    ["the right name in capitals", await certificateFor(ca, ["spiffe://default/WEB"])],
    ["the right name and more", await certificateFor(ca, ["spiffe://default/web/../rogue"])],
    ["the right name of another trust domain", await certificateFor(ca, ["spiffe://other/web"])],
    ["the mesh as a prefix of its trust domain", await certificateFor(ca, ["spiffe://default.evil/web"])],
  ];
  for (const [what, own] of byName) {
    await t.test(`a certificate of the mesh with ${what} is not the one that is named`, async () => {
      const answer = await call(port, { ...keys(own), ALPNProtocols: ["kuma"] });
      assert.ok(answer === "" || answer.startsWith("HTTP/1.1 403 "), answer);
    });
  }
  const refused: readonly (readonly [string, CertificateAndKey | undefined])[] = [
    ["no certificate", undefined],
    [
      "a certificate of another authority with the same names",
      await certificateFor(namesake.value, ["spiffe://default/web"]),
    ],
    ["a certificate of another mesh", await certificateFor(otherMesh, ["spiffe://other/web"])],
    [
      "a certificate of another mesh's authority for this mesh",
      await certificateFor(otherMesh, ["spiffe://default/web"]),
    ],
    [
      "a certificate that it signed with its own",
      await certificateFor(asAuthority(rogue, ca), ["spiffe://default/web"]),
    ],
    ["a certificate that has expired", await certificateFor(ca, ["spiffe://default/web"], { age: 7_200 })],
  ];
  for (const [what, own] of refused) {
    await t.test(`whoever shows ${what} gets no connection`, async () => {
      for (const ALPNProtocols of [["kuma"], ["http/1.1"]]) {
        assert.equal(await call(port, { ...(own === undefined ? {} : keys(own)), ALPNProtocols }), "");
      }
    });
  }
  await t.test("plain text gets no answer", async () => {
    assert.equal(await conversation(connectPlain(port, "127.0.0.1"), "connect", []), "");
  });
  assert.equal(served, 0, "the application was reached");
});

test("spoofing: what callers say of certificates and to Envoy itself does not reach the application, nor Envoy", async (t) => {
  const lab = await startLab(t);
  await lab.apply([mtls(), ONLY_WEB, meshService("backend")].join("---\n"));
  let last: IncomingMessage["headers"] = {};
  let served = 0;
  const port = await startBackend(lab, t, (request, response) => {
    last = request.headers;
    served += 1;
    void sleep(request.headers["x-slow"] === undefined ? 0 : 300).then(() => response.writeHead(500).end());
  });
  const web = await certificateFor(await stolenAuthority(lab), ["spiffe://default/web"]);
  const asked = async (...headers: readonly string[]): Promise<string> =>
    await call(port, { ...keys(web), ALPNProtocols: ["kuma"], headers });
  await eventually(async () => assert.match(await asked(), /^HTTP\/1.1 500 /));

  await t.test("the certificate of the caller is the one that it has", async () => {
    await asked("x-forwarded-client-cert: By=spiffe://default/backend;URI=spiffe://default/admin");
    assert.match(
      String(last["x-forwarded-client-cert"]),
      /^By=spiffe:\/\/default\/backend-1;Hash=[0-9a-f]{64};URI=spiffe:\/\/default\/web$/,
    );
  });
  await t.test("a caller cannot have requests repeated", async () => {
    served = 0;
    await asked("x-envoy-retry-on: 5xx,gateway-error", "x-envoy-max-retries: 5", "x-envoy-internal: true");
    assert.equal(served, 1);
  });
  await t.test("a caller cannot have requests cut short, nor the answer changed", async () => {
    const short = ["x-envoy-upstream-rq-timeout-ms: 1", "x-envoy-upstream-rq-timeout-alt-response: 1"];
    assert.match(await asked("x-slow: 1", ...short, "x-envoy-upstream-rq-per-try-timeout-ms: 1"), /^HTTP\/1.1 500 /);
  });
  await t.test("what only Envoy may say is taken out", async () => {
    const forged = ["internal", "force-trace", "ip-tags", "upstream-alt-stat-name", "retriable-status-codes"];
    await asked(...forged.map((name) => `x-envoy-${name}: forged`), "x-envoy-expected-rq-timeout-ms: 1");
    const told = Object.entries(last).filter(
      ([name, value]) => value === "forged" || (name === "x-envoy-expected-rq-timeout-ms" && value === "1"),
    );
    assert.deepEqual(told, []);
  });
});

test("spoofing: a real Envoy talks to no server that has another service's certificate", async (t) => {
  const lab = await startLab(t);
  await lab.apply([mtls(), ALLOW_ALL, meshService("backend")].join("---\n"));
  const ca = await stolenAuthority(lab);
  const right = await certificateFor(ca, ["spiffe://default/backend-1"]);
  const wrong = await certificateFor(ca, ["spiffe://default/rogue"]);
  let got = 0;
  const options = { ca: ca.trustAnchorPem, requestCert: true, ALPNProtocols: ["kuma"] };
  const server = createSecureServer({ ...keys(wrong), ...options }, (socket) => {
    performServerHandshake(socket).on("stream", (stream) => {
      got += 1;
      stream.respond({ ":status": 200 });
      stream.end("answered");
    });
  });
  let handshakes = 0;
  server.on("connection", () => (handshakes += 1));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  // The address of backend-1 is somebody else's by now, as after a restart on another host.
  const stale = fakeSidecar(t, lab.at, {
    name: "backend-1",
    token: await lab.token("backend-1"),
    labels: { app: "backend" },
    networking: { inbound: [{ port, servicePort: 8_080, name: "main", protocol: "http" }] },
  });
  await stale.connect();
  await lab.settled();
  const web = await lab.sidecar({ name: "web-1", labels: { "kuma.io/workload": "web" }, calls: ["backend"] });
  const strange = await eventually(async () => {
    const answer = await ask(web.outbound("backend"));
    assert.ok(handshakes > 0, `nobody called yet: ${answer.body}`);
    return answer;
  });
  assert.equal(strange.status, 503, strange.body);
  assert.equal(got, 0, "the request must not reach the wrong server");

  server.setSecureContext({ ...keys(right), ...options });
  await eventually(async () => assert.equal((await ask(web.outbound("backend"))).body, "answered"));
});
