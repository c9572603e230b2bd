import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { request as secureRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { findEnvoy } from "@heddle/envoy/find-envoy.ts";
import { parse, stringify } from "yaml";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { dataplane } from "../support/dataplane.ts";
import { ALLOW_ALL, type Lab, meshService, mtls, type SidecarOptions, startLab } from "../support/lab.ts";
import { ask } from "../support/traffic.ts";

test("kuma-dp's exchange: its Envoy joins the mesh beside a proxy of Heddle, mutual TLS both ways", async (t) => {
  const lab = await startLab(t);
  await lab.apply([mtls(), ALLOW_ALL, meshService("backend"), meshService("frontend")].join("---\n"));
  const who = await application(t, "who", (call, response) => {
    response.end(String(call.headers["x-forwarded-client-cert"] ?? "nobody"));
  });
  const workload = (name: string) => ({ labels: { app: name, "kuma.io/workload": name }, servicePort: who.port });
  const backend = await lab.sidecar({ ...workload("backend"), name: "backend-1", calls: ["frontend"] });
  const frontend = await startAsKumaDp(t, lab, { ...workload("frontend"), name: "frontend-1", calls: ["backend"] });

  await t.test("requests pass from each to the other, and each sees who called", async () => {
    await eventually(async () => {
      assert.match((await ask(frontend.outbound)).body, /URI=spiffe:\/\/default\/frontend/);
      assert.match((await ask(backend.outbound("frontend"))).body, /URI=spiffe:\/\/default\/backend/);
    });
  });

  await t.test("its insight tells the versions it sent, under the keys that kumactl reads", async () => {
    await eventually(async () => {
      const overview = (await lab.get("/meshes/default/dataplanes/frontend-1/_overview")) as {
        dataplaneInsight: { subscriptions?: { version?: typeof VERSION }[]; mTLS?: { issuedBackend?: string } };
      };
      const { subscriptions, mTLS } = overview.dataplaneInsight;
      assert.equal(subscriptions?.[0]?.version?.kumaDp.version, VERSION.kumaDp.version);
      assert.equal(mTLS?.issuedBackend, "ca-1");
    });
  });

  await t.test("it drains over the admin socket, and its callers do without it once it has ended", async () => {
    assert.equal(await overSocket(frontend.adminSocket, "POST", "/healthcheck/fail"), 200);
    frontend.process.kill("SIGTERM");
    await once(frontend.process, "exit");
    await eventually(async () => assert.equal((await ask(backend.outbound("frontend"))).status, 503));
    await eventually(async () => {
      const { dataplaneInsight } = (await lab.get("/meshes/default/dataplanes/frontend-1/_overview")) as {
        dataplaneInsight: { subscriptions: { disconnectTime?: string }[] };
      };
      assert.ok(dataplaneInsight.subscriptions.at(-1)?.disconnectTime, "it is shown as Offline");
    });
  });
});

test("kuma-dp's exchange: a Dataplane that is not there yet is told by a 404 without words, which it retries", async (t) => {
  const lab = await startLab(t);
  const ask = async () => bootstrap(lab, { ...requestOf("late-1"), dataplaneToken: await lab.token("late-1") });
  assert.deepEqual(await ask(), { status: 404, body: "" });
  await lab.put(dataplane({ name: "late-1" }, 1, []) as { type: string; name: string });
  assert.equal((await ask()).status, 200);
});

test("kuma-dp's exchange: what it cannot mend by trying again is 4xx with words", async (t) => {
  const lab = await startLab(t);
  const resource = JSON.stringify(dataplane({ name: "x-1" }, 1, []));
  const without = await bootstrap(lab, { ...requestOf("x-1"), dataplaneResource: resource });
  assert.equal(without.status, 422);
  assert.match(without.body, /brought no dataplane token/);
  const stranger = { ...requestOf("x-1"), dataplaneResource: resource, dataplaneToken: await lab.token("other") };
  assert.equal((await bootstrap(lab, stranger)).status, 422);
  const broken = { ...requestOf("x-1"), dataplaneResource: `{"type": "Dataplane", "mesh": "default", "name": "x-1"}` };
  assert.match((await bootstrap(lab, broken)).body, /networking/);
  const ingress = await bootstrap(lab, { ...requestOf("zi-1"), mesh: "", proxyType: "ingress" });
  assert.equal(ingress.status, 422);
  assert.match(ingress.body, /zone ingress proxies are not served/);
});

test("kuma-dp's exchange: health discovery is set up for a Dataplane that has probes, or may get them", async (t) => {
  const lab = await startLab(t);
  const settings = async (dataplaneResource: string) => {
    const sent = { ...requestOf("x-1"), dataplaneResource, dataplaneToken: await lab.token("x-1") };
    const { body } = await bootstrap(lab, sent);
    return parse(Buffer.from(JSON.parse(body).bootstrap, "base64").toString("utf8"));
  };
  const having = (inbound: object) => ({
    type: "Dataplane",
    mesh: "default",
    name: "x-1",
    networking: { address: "127.0.0.1", inbound: [{ port: 1, servicePort: 2, ...inbound }] },
  });
  const unprobed = having({});
  const probed = having({ serviceProbe: { tcp: {} } });
  assert.equal((await settings(JSON.stringify(unprobed))).hdsConfig, undefined);
  assert.equal((await settings(JSON.stringify(probed))).hdsConfig?.apiType, "GRPC");
  await lab.put(unprobed);
  assert.equal((await settings("")).hdsConfig?.apiType, "GRPC");
});

const VERSION = {
  kumaDp: { version: "2.14.3", gitTag: "2.14.3", gitCommit: "abc", buildDate: "2026-10-01" },
  envoy: { version: "1.37.4", build: "x/1.37.4/Clean/RELEASE/BoringSSL", kumaDpCompatible: true },
};

/** What kuma-dp 2.14 sends by default, with Go's zero values. */
function requestOf(name: string): Record<string, unknown> {
  return {
    mesh: "default",
    name,
    proxyType: "dataplane",
    dataplaneToken: "",
    dataplaneTokenPath: "",
    dataplaneResource: "",
    version: VERSION,
    caCert: "",
    dynamicMetadata: {},
    otelEnv: null,
    dnsPort: 15_054,
    readinessPort: 9_902,
    appProbeProxyDisabled: false,
    operatingSystem: "linux",
    features: [
      "feature-tcp-accesslog-via-named-pipe",
      "feature-otel-via-kuma-dp",
      "feature-strict-inbound-ports",
      "feature-reuse-port",
    ],
    resources: { maxHeapSizeBytes: 0 },
    workdir: "",
    metricsResources: { certPath: "", keyPath: "" },
    systemCaPath: "/etc/ssl/certs/ca-certificates.crt",
    transparentProxy: null,
    ipv6Enabled: true,
    spireResources: { socketPath: "" },
  };
}

interface KumaDp {
  readonly process: ChildProcess;
  readonly adminSocket: string;
  /** URL under which its application reaches the one service it calls. */
  readonly outbound: string;
}

/** Does what kuma-dp does: asks for a bootstrap, checks what it will use of it, starts Envoy with its options. */
async function startAsKumaDp(t: TestContext, lab: Lab, options: SidecarOptions): Promise<KumaDp> {
  const { name } = options;
  const workdir = await mkdtemp(join(tmpdir(), "kuma-dp-"));
  const [inbound = 0, outbound = 0] = await freePorts(2);
  const answer = await bootstrap(lab, {
    ...requestOf(name),
    workdir,
    caCert: lab.at.caPem,
    dataplaneToken: await lab.token(name),
    dataplaneTokenPath: join(workdir, "token"),
    dataplaneResource: JSON.stringify(dataplane(options, inbound, [outbound])),
  });
  assert.equal(answer.status, 200, answer.body);
  const { bootstrap: encoded, kumaSidecarConfiguration } = JSON.parse(answer.body);
  assert.deepEqual(kumaSidecarConfiguration, { networking: { address: "127.0.0.1" }, metrics: { aggregate: [] } });
  const config = parse(Buffer.from(encoded, "base64").toString("utf8"));
  const adminSocket = config.admin.address.pipe.path;
  const file = join(workdir, "bootstrap.yaml");
  await writeFile(file, stringify(config));
  const how = ["--drain-time-s", "30", "--drain-strategy", "immediate", "--disable-hot-restart", "--cpuset-threads"];
  const envoy = spawn((await findEnvoy()).path, ["--config-path", file, ...how, "--log-level", "warning"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  t.after(async () => {
    if (envoy.exitCode === null && envoy.kill("SIGKILL")) await once(envoy, "exit");
    await rm(workdir, { recursive: true });
  });
  let log = "";
  envoy.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  // What kuma-dp's own /ready hands through.
  await eventually(async () => assert.equal(await overSocket(adminSocket, "GET", "/ready"), 200, log), 20_000);
  return { process: envoy, adminSocket, outbound: `http://127.0.0.1:${outbound}` };
}

/** `POST /bootstrap` with the headers that kuma-dp sends. */
async function bootstrap(lab: Lab, body: object): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const call = secureRequest(
    `https://localhost:${lab.at.dpPort}/bootstrap`,
    {
      method: "POST",
      ca: lab.at.caPem,
      agent: false,
      headers: { accept: "application/json", "content-type": "application/json" },
    },
    (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.once("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
    },
  );
  call.once("error", reject);
  call.end(JSON.stringify(body));
  return await promise;
}

/** Status of a call to Envoy's admin interface; 0 while nobody listens. */
async function overSocket(socketPath: string, method: string, path: string): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const call = request({ socketPath, method, path, agent: false }, (response) => {
    response.resume();
    response.once("end", () => resolve(response.statusCode ?? 0));
  });
  call.once("error", () => resolve(0));
  call.end();
  return await promise;
}
