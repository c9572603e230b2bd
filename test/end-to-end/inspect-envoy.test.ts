import assert from "node:assert/strict";
import { createServer } from "node:net";
import { request } from "node:https";
import { test } from "node:test";
import { runHeddle } from "@heddle/cli/testkit/run-heddle.ts";
import { type AdminKeys, adminKeysFrom, adminRoot } from "@heddle/control-plane/envoy-admin/admin-keys.ts";
import { Secrets } from "@heddle/control-plane/secrets.ts";
import { issueCertificate } from "@heddle/identity/leaf.ts";
import { createCa, meshCaRequest } from "@heddle/identity/ca.ts";
import { loadCa } from "@heddle/identity/load-ca.ts";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-ports.ts";
import { type Lab, meshService, mtls, startLab } from "../support/lab.ts";

const AT = "/meshes/default/dataplanes";

interface Got {
  readonly status: number;
  readonly type: string | null;
  readonly body: string;
}

async function get(lab: Lab, path: string): Promise<Got> {
  const response = await fetch(`${lab.at.apiUrl}${AT}/${path}`);
  return { status: response.status, type: response.headers.get("content-type"), body: await response.text() };
}

/** The port that a proxy's launcher told. */
async function inspectPortOf(lab: Lab, name: string): Promise<number> {
  const overview = (await lab.get(`${AT}/${name}/_overview`)) as {
    dataplaneInsight: { metadata: Record<string, string> };
  };
  return Number(overview.dataplaneInsight.metadata["dataplane.inspect.port"]);
}

interface Knock {
  readonly path?: string;
  readonly method?: string;
  readonly credentials?: { readonly certificatePem: string; readonly keyPem: string } | undefined;
  readonly version?: "TLSv1.2" | "TLSv1.3";
}

/** Calls a proxy's port as somebody, and gives the status, or the code of the error that ended the attempt. */
function knock(
  port: number,
  { path = "/ready", method = "GET", credentials, version = "TLSv1.3" }: Knock,
): Promise<number | string> {
  const { promise, resolve } = Promise.withResolvers<number | string>();
  const call = request({
    host: "127.0.0.1",
    port,
    path,
    method,
    agent: false,
    // This side is the stranger; whom it talks to is not what is tested.
    rejectUnauthorized: false,
    minVersion: version,
    maxVersion: version,
    ...(credentials === undefined ? {} : { cert: credentials.certificatePem, key: credentials.keyPem }),
  });
  call.on("response", (response) => resolve(response.resume().statusCode ?? 0));
  call.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  call.end();
  return promise;
}

test("inspect: the running Envoy shows its configuration, clusters and statistics, without the proxy's token", async (t) => {
  const lab = await startLab(t);
  await lab.apply([mtls(), meshService("backend")].join("---\n"));
  const app = await application(t, "backend");
  const tokens = { "backend-1": await lab.token("backend-1"), "web-1": await lab.token("web-1") };
  await Promise.all([
    lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port, token: tokens["backend-1"] }),
    // Its token is in the bootstrap itself.
    lab.sidecar({ name: "web-1", calls: ["backend"], token: tokens["web-1"], inlineToken: true }),
  ]);

  await t.test("REST: /xds, with endpoints when asked for", async () => {
    const plain = await get(lab, "web-1/xds");
    assert.deepEqual([plain.status, plain.type], [200, "application/json; charset=utf-8"], plain.body.slice(0, 500));
    const types = (body: string): string[] =>
      (JSON.parse(body) as { configs: { "@type": string }[] }).configs.map(
        (each) => each["@type"].split(".").at(-1) ?? "",
      );
    assert.ok(types(plain.body).includes("ListenersConfigDump"));
    assert.ok(!types(plain.body).includes("EndpointsConfigDump"));
    assert.ok(types((await get(lab, "web-1/xds?include_eds=true")).body).includes("EndpointsConfigDump"));
  });

  await t.test("REST: no token, no key in any view, wherever the token came from", async () => {
    for (const [name, token] of Object.entries(tokens)) {
      const { body } = await get(lab, `${name}/xds?include_eds=true`);
      assert.ok(!body.includes(token), `the token of ${name} is in its dump`);
      assert.ok(!body.includes(token.split(".")[2] ?? "?"), `the signature of ${name}'s token is in its dump`);
      assert.doesNotMatch(body, /PRIVATE KEY/);
    }
    assert.match((await get(lab, "web-1/xds")).body, /"key": "authorization",\s*"value": "\[redacted\]"/);
    const config = JSON.stringify(await lab.get(`${AT}/web-1/_config`));
    assert.doesNotMatch(config, /PRIVATE KEY/);
    assert.match(config, /system_envoy_admin/);
  });

  await t.test("REST: /clusters and /stats, as text and as JSON", async () => {
    const clusters = await get(lab, "web-1/clusters");
    assert.match(clusters.body, /^system_envoy_admin::/m);
    assert.match(clusters.type ?? "", /^text\/plain/);
    assert.ok("cluster_statuses" in JSON.parse((await get(lab, "web-1/clusters?format=json")).body));
    const [all, used] = [await get(lab, "web-1/stats"), await get(lab, "web-1/stats?usedonly=true")];
    assert.match(all.body, /^server\.live: 1$/m);
    assert.ok(used.body.length < all.body.length, "usedonly leaves nothing out");
    assert.ok("stats" in JSON.parse((await get(lab, "web-1/stats?format=json&usedonly=false")).body));
    const wrong = await get(lab, "web-1/stats?format=html");
    assert.deepEqual([wrong.status, /\\?"text\\?" or \\?"json\\?"/.test(wrong.body)], [400, true], wrong.body);
  });

  await t.test("CLI: the same three views", async () => {
    const heddle = (words: string) => runHeddle(words.split(" "), { env: { HEDDLE_ADDRESS: lab.at.apiUrl } });
    const dump = await heddle("inspect dataplane web-1 --type config-dump -o json");
    assert.deepEqual([dump.code, dump.stderr], [0, ""]);
    assert.ok(Array.isArray((JSON.parse(dump.stdout) as { configs: unknown }).configs));
    assert.match((await heddle("inspect dataplane web-1 --type stats")).stdout, /^server\.live: 1$/m);
    assert.match((await heddle("inspect dataplane web-1 --type clusters")).stdout, /^system_envoy_admin::/m);
    const json = await heddle("inspect dataplane web-1 --type clusters -o json");
    assert.ok("cluster_statuses" in JSON.parse(json.stdout));
  });

  await t.test("nobody else gets in, and a control plane only where it is to look", async () => {
    const port = await inspectPortOf(lab, "web-1");
    const keys = adminKeysFrom(await adminRoot(new Secrets(lab.controlPlane.store), new Date()));
    assert.equal(await knock(port, { credentials: keys.caller }), 200);
    const strangers = await strangersTo(lab, keys);
    for (const [who, credentials] of Object.entries(strangers)) {
      const outcome = await knock(port, { credentials });
      assert.equal(typeof outcome, "string", `${who} got in: ${outcome}`);
    }
    assert.equal(typeof (await knock(port, { credentials: keys.caller, version: "TLSv1.2" })), "string");
    await assert.rejects(fetch(`http://127.0.0.1:${port}/ready`), "plain text got through");
    const closed = [
      "/quitquitquit",
      "/",
      "/logging",
      "/stats/prometheus",
      "/stats/../quitquitquit",
      "/stats%2f..%2fquitquitquit",
      "//stats",
      "/STATS",
      "/server_info",
      "/config_dump/",
    ];
    for (const path of closed) {
      const status = await knock(port, { credentials: keys.caller, path });
      assert.ok(status === 404 || status === 400, `GET ${path}: ${status}`);
    }
    for (const method of ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"]) {
      const status = await knock(port, { credentials: keys.caller, method, path: "/stats" });
      assert.equal(status, 404, `${method} /stats`);
    }
  });
});

/** Who holds a certificate, but none of a control plane. */
async function strangersTo(lab: Lab, keys: AdminKeys): Promise<Readonly<Record<string, Knock["credentials"]>>> {
  const now = new Date();
  const request = { uris: ["heddle://control-plane"], validitySeconds: 3_600, usages: ["client"], now } as const;
  const own = loadCa(await createCa(meshCaRequest("default", "ecdsa-p256", now)), now);
  assert.ok(own.ok);
  const secrets = new Secrets(lab.controlPlane.store);
  const [certificatePem = "", keyPem = ""] = await Promise.all(
    ["cert", "key"].map((part) => secrets.read("default", `default.ca-builtin-${part}-ca-1`)),
  );
  const mesh = loadCa({ certificatePem, keyPem }, now);
  assert.ok(mesh.ok, `no authority of the mesh: ${JSON.stringify([...(await secrets.list("default", "")).keys()])}`);
  return {
    "who shows no certificate": undefined,
    "a certificate of the mesh": await issueCertificate(mesh.value, request),
    "a certificate of a made-up authority": await issueCertificate(own.value, request),
    "another proxy, with what its own port shows": keys.certificateOf("default", "backend-1"),
  };
}

test("inspect: a port that somebody has costs nothing but the view, and the reason is told", async (t) => {
  const lab = await startLab(t);
  const taken = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  taken.listen(0, "127.0.0.1", resolve);
  await promise;
  t.after(() => taken.close());
  const { port } = taken.address() as { port: number };
  await lab.apply(meshService("backend"));
  const app = await application(t, "backend");
  const backend = await lab.sidecar({
    name: "backend-1",
    labels: { app: "backend" },
    servicePort: app.port,
    env: { HEDDLE_DATAPLANE_INSPECT_PORT: String(port) },
  });
  await eventually(async () => assert.equal((await fetch(`http://127.0.0.1:${backend.inboundPort}`)).status, 200));
  const refused = await get(lab, "backend-1/stats");
  assert.equal(refused.status, 503);
  assert.match(
    refused.body,
    new RegExp(`Envoy cannot open its inspect port 127.0.0.1:${port}: .*ddress already in use.*--inspect-port`),
  );
});

test("inspect: a proxy without a port, one that is gone and one that stays silent are told apart", async (t) => {
  const lab = await startLab(t);
  const blind = await lab.sidecar({ name: "blind-1", env: { HEDDLE_DATAPLANE_INSPECT_PORT: "0" } });
  const refused = await get(lab, "blind-1/clusters");
  assert.equal(refused.status, 503);
  assert.match(refused.body, /it opened no inspect port; start it with/);
  const port = await freePort();
  await lab.sidecar({ name: "silent-1", env: { HEDDLE_DATAPLANE_INSPECT_PORT: String(port) } });
  assert.equal((await get(lab, "silent-1/stats")).status, 200);
  // What others are to use leads nowhere.
  const proxy = lab.controlPlane.meshes.get("default")?.snapshot.dataplanes.get("silent-1");
  assert.ok(proxy);
  const { address: _, ...rest } = proxy.resource.spec.networking;
  const moved = {
    ...proxy.resource,
    spec: { ...proxy.resource.spec, networking: { ...rest, address: "127.0.0.1", advertisedAddress: "127.0.0.99" } },
  };
  lab.controlPlane.meshes.get("default")?.apply([{ what: "put", resource: moved }]);
  const nobody = await get(lab, "silent-1/stats");
  assert.equal(nobody.status, 503);
  assert.match(nobody.body, new RegExp(`its inspect port 127.0.0.99:${port}: nobody listens there`));
  await blind.stop();
  await eventually(async () => assert.notEqual((await get(lab, "blind-1/stats")).status, 200));
});
