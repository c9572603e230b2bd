import assert from "node:assert/strict";
import { test } from "node:test";
import { stringify } from "yaml";
import { eventually } from "../support/eventually.ts";
import { type Lab, startLab } from "../support/lab.ts";
import { certificateFor, outsideHttp, outsideTls } from "../support/outside.ts";
import { ask } from "../support/traffic.ts";

interface Written {
  readonly protocol?: string;
  readonly endpoints: readonly object[];
  readonly tls?: object;
}

function external(name: string, { protocol = "http", endpoints, tls }: Written): string {
  const spec = { match: { type: "HostnameGenerator", port: 80, protocol }, endpoints, ...(tls && { tls }) };
  return stringify({ type: "MeshExternalService", mesh: "default", name, spec });
}

function secret(name: string, text: string): string {
  return stringify({ type: "Secret", mesh: "default", name, data: Buffer.from(text).toString("base64") });
}

/** Waits for an answer in a body; the reason is the last answer otherwise. */
async function answers(url: string, status: number, body = /./): Promise<void> {
  await eventually(async () => {
    const answer = await ask(url);
    assert.equal(answer.status, status, answer.body);
    assert.match(answer.body, body);
  });
}

/** What Envoy was told of clusters and secrets: name to version. */
function versions(lab: Lab, type: string): ReadonlyMap<string, string> {
  const set = lab.controlPlane.meshes.get("default")?.proxies.get("client")?.set;
  const resources = set?.get(`type.googleapis.com/${type}`) ?? new Map<string, { version: string }>();
  return new Map([...resources].map(([name, { version }]) => [name, version]));
}

test("a service outside of the mesh is called by its MeshExternalService", async (t) => {
  const lab = await startLab(t);
  let flaky = 0;
  const plain = await outsideHttp(t, (request, response) => {
    const isSlow = request.url === "/slow";
    // Every other request fails.
    if (request.url === "/flaky") response.statusCode = (flaky += 1) % 2 === 1 ? 503 : 200;
    setTimeout(() => response.end(`plain host=${request.headers.host} path=${request.url}`), isSlow ? 2_000 : 0);
  });
  const calls = ["MeshExternalService/plain", "MeshExternalService/secure", "MeshExternalService/shown"];
  const client = await lab.sidecar({ name: "client", calls });
  const [toPlain, toSecure, toShown] = calls.map(client.outbound) as [string, string, string];
  const [first, second, other] = await Promise.all([
    certificateFor(["localhost"]),
    certificateFor(["localhost"]),
    certificateFor(["elsewhere.example"]),
  ]);

  await t.test("over HTTP, addressed by the name under which it is found", async () => {
    await lab.apply(external("plain", { endpoints: [{ address: "localhost", port: plain.port }] }));
    await lab.settled();
    await answers(toPlain, 200, /plain host=localhost path/);
  });

  await t.test("MeshTimeout and MeshHTTPRoute mean it", async () => {
    const to = { targetRef: { kind: "MeshExternalService", name: "plain" } };
    const timeout = { to: [{ ...to, default: { http: { requestTimeout: "200ms" } } }] };
    const filters = [
      { type: "URLRewrite", urlRewrite: { path: { type: "ReplaceFullPath", replaceFullPath: "/new" } } },
    ];
    const rules = [{ matches: [{ path: { type: "PathPrefix", value: "/old" } }], default: { filters } }];
    await lab.apply(stringify({ type: "MeshTimeout", mesh: "default", name: "quick", spec: timeout }));
    await lab.apply(
      stringify({ type: "MeshHTTPRoute", mesh: "default", name: "moved", spec: { to: [{ ...to, rules }] } }),
    );
    await lab.settled();
    await answers(`${toPlain}/slow`, 504);
    await answers(`${toPlain}/old`, 200, /path=\/new/);
  });

  await t.test("MeshRetry means it", async () => {
    const http = { numRetries: 2, retryOn: ["5xx"], backOff: { baseInterval: "1ms", maxInterval: "2ms" } };
    const to = [{ targetRef: { kind: "MeshExternalService", name: "plain" }, default: { http } }];
    assert.equal((await ask(`${toPlain}/flaky`)).status, 503);
    assert.equal((await ask(`${toPlain}/flaky`)).status, 200);
    await lab.apply(stringify({ type: "MeshRetry", mesh: "default", name: "again", spec: { to } }));
    await lab.settled();
    await eventually(async () => {
      const asked = await Promise.all(Array.from({ length: 5 }, () => ask(`${toPlain}/flaky`)));
      assert.deepEqual([...new Set(asked.map(({ status }) => status))], [200]);
    });
  });

  await t.test("over TLS: the server name is asked for, and its certificate must be for it", async () => {
    const server = await outsideTls(t, first);
    const endpoints = [{ address: "localhost", port: server.port }];
    const tls = { enabled: true, verification: { caCert: { secret: "outside-ca" } } };
    await lab.apply(external("secure", { endpoints, tls }));
    await lab.settled();
    // Without its Secret nobody is called, and the others work.
    await answers(toSecure, 503);
    await answers(toPlain, 200);
    const layout = (await lab.get("/meshes/default/dataplanes/client/_layout")) as {
      outbounds: { problem?: string }[];
    };
    assert.deepEqual(
      layout.outbounds.flatMap(({ problem }) => problem ?? []),
      [
        'kri_extsvc_default_default__secure_80 cannot be called: Secret "outside-ca", which tls.verification.caCert names, is not there',
      ],
    );
    await lab.apply(secret("outside-ca", first.cert));
    await lab.settled();
    await answers(toSecure, 200, /sni=localhost host=localhost/);

    const clusters = versions(lab, "envoy.config.cluster.v3.Cluster");
    server.server.setSecureContext(second);
    await lab.apply(secret("outside-ca", second.cert));
    await lab.settled();
    server.server.closeAllConnections();
    await answers(toSecure, 200, /sni=localhost/);
    assert.deepEqual(versions(lab, "envoy.config.cluster.v3.Cluster"), clusters);

    server.server.setSecureContext(other);
    await lab.apply(secret("outside-ca", other.cert));
    await lab.settled();
    server.server.closeAllConnections();
    await eventually(async () => {
      assert.equal((await ask(toSecure)).status, 503);
      const stats = await (await fetch(`${lab.at.apiUrl}/meshes/default/dataplanes/client/stats`)).text();
      assert.match(stats, /kri_extsvc_default_default__secure_80.ssl.fail_verify_san: [1-9]/);
    });
    await lab.apply(
      external("secure", { endpoints, tls: { ...tls, verification: { ...tls.verification, mode: "SkipSAN" } } }),
    );
    await lab.settled();
    await answers(toSecure, 200);
  });

  await t.test("with a certificate to show, whose key is in no cluster", async () => {
    const mine = await certificateFor(["client.example"], "client");
    const server = await outsideTls(t, first, mine.cert);
    const inline = (text: string) => ({ type: "InsecureInline", insecureInline: { value: text } });
    const verification = {
      serverName: "localhost",
      caCert: inline(first.cert),
      clientCert: inline(mine.cert),
      clientKey: { type: "Secret", secretRef: { kind: "Secret", name: "my-key" } },
    };
    await lab.apply(secret("my-key", mine.key));
    // An address, so that nothing is looked up.
    const endpoints = [{ address: "127.0.0.1", port: server.port }];
    await lab.apply(external("shown", { endpoints, tls: { enabled: true, verification } }));
    await lab.settled();
    await answers(toShown, 200, /caller=client.example/);
    const config = JSON.stringify(await lab.get("/meshes/default/dataplanes/client/_config"));
    assert.doesNotMatch(config, /PRIVATE KEY/);
    const cluster = /"kri_extsvc_default_default__shown_80"/;
    assert.match(config, cluster);
  });
});

test("an ExternalService of Kuma 2.x is called by its tag, and a Timeout of Kuma 2.x means it", async (t) => {
  const lab = await startLab(t);
  const plain = await outsideHttp(t, (request, response) => {
    setTimeout(() => response.end("outside"), request.url === "/slow" ? 2_000 : 0);
  });
  const tags = { "kuma.io/service": "legacy", "kuma.io/protocol": "http" };
  const client = await lab.sidecar({ name: "client", calls: ["legacy"], callsByTag: true });
  const networking = { address: `127.0.0.1:${plain.port}` };
  await lab.apply(stringify({ type: "ExternalService", mesh: "default", name: "old", tags, networking }));
  await lab.settled();
  await answers(client.outbound("legacy"), 200, /outside/);
  const every = [{ match: { "kuma.io/service": "*" } }];
  const destinations = [{ match: { "kuma.io/service": "legacy" } }];
  const conf = { connectTimeout: "1s", http: { requestTimeout: "200ms" } };
  await lab.apply(stringify({ type: "Timeout", mesh: "default", name: "quick", sources: every, destinations, conf }));
  await lab.settled();
  await answers(`${client.outbound("legacy")}/slow`, 504);
});

test("a MeshExternalService that Envoy refuses is held, and the one before stays in force", async (t) => {
  const lab = await startLab(t);
  const plain = await outsideHttp(t, (_request, response) => void response.end("outside"));
  const client = await lab.sidecar({ name: "client", calls: ["MeshExternalService/plain"] });
  const good = { endpoints: [{ address: "127.0.0.1", port: plain.port }] };
  await lab.apply(external("plain", good));
  await lab.settled();
  await answers(client.outbound("MeshExternalService/plain"), 200);
  // No operating system has paths of sockets as long as this.
  await lab.apply(external("plain", { endpoints: [{ address: `unix:///${"a".repeat(200)}` }] }));
  await eventually(async () => {
    const { status } = (await lab.get("/meshes/default/meshexternalservices/plain")) as { status?: Held };
    assert.equal(status?.rollOut?.state, "Held");
    assert.match(status.rollOut.message, /proxy "client" refused Cluster "kri_extsvc_default_default__plain_80"/);
    assert.match(status.vip?.ip ?? "", /^242\./);
  });
  await answers(client.outbound("MeshExternalService/plain"), 200);
});

interface Held {
  readonly rollOut?: { readonly state: string; readonly message: string };
  readonly vip?: { readonly ip: string };
}
