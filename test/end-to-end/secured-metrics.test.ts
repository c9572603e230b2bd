import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { issueCertificate } from "@heddle/identity/leaf.ts";
import { loadCa } from "@heddle/identity/load-ca.ts";
import { createServerCertificate } from "@heddle/identity/server-certificate.ts";
import { stringify } from "yaml";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { type Lab, meshService, mtls, startLab } from "../support/lab.ts";
import { startPrometheus } from "../support/prometheus.ts";
import { ask } from "../support/traffic.ts";

function metricsAt(port: number, mode: string): string {
  const spec = { default: { backends: [{ type: "Prometheus", prometheus: { port, tls: { mode } } }] } };
  return stringify({ type: "MeshMetric", mesh: "default", name: "all", spec });
}

/** Files of a certificate that the mesh's own authority gave to somebody. */
async function memberFiles(lab: Lab): Promise<{ readonly cert_file: string; readonly key_file: string }> {
  const pem = async (part: string): Promise<string> => {
    const { data } = (await lab.get(`/meshes/default/secrets/default.ca-builtin-${part}-ca-1`)) as { data: string };
    return Buffer.from(data, "base64").toString();
  };
  const now = new Date();
  const ca = loadCa({ certificatePem: await pem("cert"), keyPem: await pem("key") }, now);
  assert.ok(ca.ok);
  const uris = ["spiffe://default/prometheus"];
  const made = await issueCertificate(ca.value, { uris, validitySeconds: 3_600, usages: ["client"], now });
  return await written(lab.folder, "member", made);
}

async function written(
  folder: string,
  name: string,
  { certificatePem, keyPem }: { readonly certificatePem: string; readonly keyPem: string },
): Promise<{ readonly cert_file: string; readonly key_file: string }> {
  const files = { cert_file: join(folder, `${name}.crt`), key_file: join(folder, `${name}.key`) };
  await writeFile(files.cert_file, certificatePem);
  await writeFile(files.key_file, keyPem);
  return files;
}

function job(name: string, port: number, tls: object): Record<string, unknown> {
  // Proxies have no host names in their certificates.
  const tls_config = { insecure_skip_verify: true, ...tls };
  return { job_name: name, scheme: "https", tls_config, static_configs: [{ targets: [`127.0.0.1:${port}`] }] };
}

test("MeshMetric: with ActiveMTLSBackend only members of the mesh may look, and nobody before it has mutual TLS", async (t) => {
  const lab = await startLab(t);
  await lab.sidecar({ name: "web-1", labels: { "kuma.io/workload": "web" } });
  const [port = 0] = await freePorts(1);
  await lab.apply(metricsAt(port, "ActiveMTLSBackend"));
  await lab.settled();
  await assert.rejects(fetch(`http://127.0.0.1:${port}/metrics`), "the port is open without mutual TLS");
  await lab.apply(mtls());
  await lab.settled();
  const prometheus = await startPrometheus(t, [job("member", port, await memberFiles(lab)), job("stranger", port, {})]);
  const up = async (name: string): Promise<readonly number[]> =>
    (await prometheus.query(`up{job="${name}"}`)).map(({ value }) => value);
  await eventually(async () => assert.deepEqual(await up("member"), [1]));
  await eventually(async () => assert.deepEqual(await up("stranger"), [0]));
  const [live] = await prometheus.query('envoy_server_live{job="member"}');
  assert.deepEqual([live?.value, live?.labels["kuma_workload"]], [1, "web"]);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/metrics`), "plain text must not get through");
});

test("MeshMetric: with ProvidedTLS the port shows the certificate that the proxy was started with", async (t) => {
  const lab = await startLab(t);
  const made = await createServerCertificate({
    usage: "server",
    commonName: "metrics",
    hosts: ["127.0.0.1"],
    keyType: "ecdsa-p256",
    validitySeconds: 3_600,
    now: new Date(),
  });
  assert.ok(made.ok);
  const { cert_file, key_file } = await written(lab.folder, "metrics", made.value);
  const env = {
    KUMA_DATAPLANE_RUNTIME_METRICS_CERT_PATH: cert_file,
    KUMA_DATAPLANE_RUNTIME_METRICS_KEY_PATH: key_file,
  };
  await lab.sidecar({ name: "web-1", env });
  const [port = 0] = await freePorts(1);
  await lab.apply(metricsAt(port, "ProvidedTLS"));
  await lab.settled();
  const prometheus = await startPrometheus(t, [
    job("web", port, { insecure_skip_verify: false, ca_file: cert_file, server_name: "127.0.0.1" }),
  ]);
  await eventually(async () =>
    assert.deepEqual(
      (await prometheus.query("up")).map(({ value }) => value),
      [1],
    ),
  );
});

test("MeshMetric: a port that an inbound has is refused, said with the policy's name, and harms nobody", async (t) => {
  const lab = await startLab(t);
  await lab.apply(meshService("web"));
  const app = await application(t, "web");
  const web = await lab.sidecar({ name: "web-1", labels: { app: "web" }, servicePort: app.port });
  await lab.apply(metricsAt(web.inboundPort, "Disabled"));
  await eventually(async () => {
    const policy = (await lab.get("/meshes/default/meshmetrics/all")) as {
      status?: { rollOut?: { state: string; refusals: { dataplane: string; detail: string }[] } };
    };
    const { state, refusals = [] } = policy.status?.rollOut ?? {};
    assert.equal(state, "Held");
    assert.deepEqual(
      refusals.map(({ dataplane }) => dataplane),
      ["web-1"],
    );
    assert.match(refusals[0]?.detail ?? "", /address|bind/i);
  });
  assert.equal((await ask(`http://127.0.0.1:${web.inboundPort}`)).body, "web");
});
