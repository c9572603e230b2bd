import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { test } from "node:test";
import { promisify } from "node:util";
import { findEnvoy } from "@heddle/envoy/find-envoy.ts";
import { TOKEN_SECRET } from "@heddle/model/token-secret.ts";
import type { BootstrapRequest } from "./bootstrap-request.ts";
import { type BootstrapSettings, bootstrapYaml, envoyBootstrap } from "./envoy-bootstrap.ts";

const REQUEST: BootstrapRequest = {
  mesh: "default",
  name: "backend-1",
  proxyType: "dataplane",
  dataplaneToken: "a.secret.token",
  dataplaneResource: '{"type":"Dataplane","mesh":"default","name":"backend-1"}',
  version: { kumaDp: { version: "0.1.0" }, envoy: { version: "1.40.0", build: "b", kumaDpCompatible: true } },
  dynamicMetadata: { HOST_IP: "10.0.0.1" },
  appProbeProxyEnabled: false,
  features: ["feature-strict-inbound-ports"],
  workdir: "/tmp/heddle-dp",
  ipv6Enabled: true,
};
const SETTINGS: BootstrapSettings = {
  xdsHost: "cp.example",
  xdsPort: 5678,
  caPem: "the control plane's authorities",
  workload: "backend",
};

const cases = {
  "named control plane, token inline": envoyBootstrap(REQUEST, SETTINGS),
  "address, token in a file, heap limit, health discovery": envoyBootstrap(
    { ...REQUEST, features: [TOKEN_SECRET.feature], maxHeapSizeBytes: 100_000_000, adminPort: 9901 },
    { ...SETTINGS, xdsHost: "::1", healthDiscovery: true, dependencies: { envoy: "1.40.0" } },
  ),
};

for (const [name, bootstrap] of Object.entries(cases)) {
  test(`envoyBootstrap() gives its golden text for: ${name}`, (t) => {
    const file = `${name.replaceAll(/[^a-z]+/g, "-")}.golden.yaml`;
    t.assert.fileSnapshot(bootstrap, join(import.meta.dirname, file), { serializers: [bootstrapYaml] });
  });

  test(`envoyBootstrap() is accepted by Envoy for: ${name}`, async (t) => {
    const { path } = await findEnvoy();
    const folder = await mkdtemp(join(tmpdir(), "heddle-bootstrap-"));
    t.after(() => rm(folder, { recursive: true }));
    const file = join(folder, "bootstrap.yaml");
    // A real certificate and folder in place of the golden text's: Envoy looks at both.
    const text = bootstrapYaml(bootstrap)
      .replaceAll(SETTINGS.caPem, JSON.stringify(rootCertificates[0]))
      .replaceAll("/tmp/heddle-dp", folder);
    await writeFile(join(folder, TOKEN_SECRET.file), '{"resources":[]}');
    await writeFile(file, text);
    const { stdout } = await promisify(execFile)(path, ["--mode", "validate", "-c", file, "-l", "warning"]);
    assert.match(stdout, /OK/);
  });
}

test("envoyBootstrap() moves the admin interface to a port when the work directory is too deep for a socket", () => {
  const bootstrap = envoyBootstrap({ ...REQUEST, workdir: `/tmp/${"x".repeat(100)}` }, SETTINGS);
  assert.deepEqual(bootstrap["admin"], {
    address: { socketAddress: { address: "127.0.0.1", portValue: 9901 } },
  });
});

test("envoyBootstrap() keeps the token out of the configuration when Envoy is to read it from its file", () => {
  const request = { ...REQUEST, features: [TOKEN_SECRET.feature] };
  assert.doesNotMatch(JSON.stringify(envoyBootstrap(request, SETTINGS)), /a\.secret/);
});

test("envoyBootstrap() gives a launcher that names a token file but keeps no secret the token itself", () => {
  const request = { ...REQUEST, dataplaneTokenPath: "/run/token" };
  assert.match(JSON.stringify(envoyBootstrap(request, SETTINGS)), /a\.secret\.token/);
});
