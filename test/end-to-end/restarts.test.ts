import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { builtinSecretNames } from "@heddle/identity/backends/builtin/ca-request.ts";
import { fromBinary } from "@bufbuild/protobuf";
import { loadConfig } from "@heddle/control-plane/config.ts";
import { type ControlPlane, startControlPlane } from "@heddle/control-plane/control-plane.ts";
import { textLog } from "@heddle/control-plane/log.ts";
import { SecretSchema } from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import type { FakeProxy } from "@heddle/xds/fake.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import { eventually } from "../support/eventually.ts";
import { fakeSidecar } from "../support/fake-sidecar.ts";
import { freePorts } from "../support/free-ports.ts";
import { mtls } from "../support/lab.ts";

const RESTARTS = 20;
const INBOUND = { inbound: [{ port: 8_080, servicePort: 8_081, name: "main", protocol: "http" }] };
const IDENTITY = "system_mtls_identity_default";

/** The certificate that a proxy was sent last; undefined before the first. */
function certificateOf(proxy: FakeProxy): X509Certificate | undefined {
  const bytes = proxy.held.get(TYPE_URL.secret)?.get(IDENTITY)?.value;
  if (bytes === undefined) return undefined;
  const { type } = fromBinary(SecretSchema, bytes);
  assert.equal(type.case, "tlsCertificate");
  const chain = type.case === "tlsCertificate" ? type.value.certificateChain?.specifier.value : undefined;
  return new X509Certificate(Buffer.from(chain as Uint8Array));
}

async function secretsOf({ store }: ControlPlane): Promise<string> {
  const lists = await Promise.all([
    store.list({ type: "Secret", mesh: "default" }),
    store.list({ type: "GlobalSecret" }),
  ]);
  const all = lists.flatMap(({ items }) => items.map(({ name, spec }) => [name, spec]));
  assert.ok(all.length >= 4, "an authority and keys for tokens are there");
  return createHash("sha256").update(JSON.stringify(all)).digest("hex");
}

interface Restartable {
  readonly start: () => Promise<ControlPlane>;
  /** What all of them have logged. */
  readonly log: readonly string[];
}

/** Control planes one after the other, over one store and the same ports. */
async function restartable(t: TestContext): Promise<Restartable> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-test-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [apiHttpPort, dpPort] = await freePorts(2);
  const log: string[] = [];
  const start = async (): Promise<ControlPlane> => {
    const config = loadConfig({
      env: {},
      flags: {
        dataFolder: folder,
        apiHttpsEnabled: "false",
        apiHttpPort: String(apiHttpPort),
        dpPort: String(dpPort),
        diagnosticsPort: "0",
        rateLimitPort: "0",
        madsPort: "0",
      },
    });
    assert.ok(config.ok, JSON.stringify(config));
    return await startControlPlane(
      config.value,
      textLog(20, (line) => void log.push(line)),
    );
  };
  return { start, log };
}

/** Turns mutual TLS on, and connects a proxy that has its certificate. */
async function withCertificate(t: TestContext, controlPlane: ControlPlane): Promise<FakeProxy> {
  const put = await fetch(`${controlPlane.apiUrl}/meshes/default`, {
    method: "PUT",
    headers: { "content-type": "application/yaml" },
    body: mtls(),
  });
  assert.ok(put.ok, await put.text());
  const issued = await fetch(`${controlPlane.apiUrl}/tokens/dataplane`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ mesh: "default", name: "web", validFor: "1h" }),
  });
  const token = await issued.text();
  const at = { dpPort: controlPlane.dpPort, caPem: controlPlane.caPem };
  const proxy = fakeSidecar(t, at, { name: "web", token, networking: INBOUND, keepValues: true });
  await proxy.connect();
  await eventually(() => assert.ok(certificateOf(proxy), "no certificate yet"));
  await eventually(() => assert.ok(controlPlane.meshes.get("default")?.proxies.get("web")?.isSynced));
  return proxy;
}

test("twenty restarts of the control plane: the same authority and keys, and no proxy needs another certificate", async (t) => {
  const { start } = await restartable(t);
  let controlPlane = await start();
  t.after(() => controlPlane[Symbol.asyncDispose]());
  const proxy = await withCertificate(t, controlPlane);
  const first = certificateOf(proxy);
  const secrets = await secretsOf(controlPlane);
  const { caPem } = controlPlane;

  for (let round = 1; round <= RESTARTS; round += 1) {
    await controlPlane[Symbol.asyncDispose]();
    controlPlane = await start();
    assert.equal(await secretsOf(controlPlane), secrets, `secrets differ after restart ${round}`);
    assert.equal(controlPlane.caPem, caPem, `the authority of the ports differs after restart ${round}`);
    await proxy.connect();
    await eventually(() => assert.ok(controlPlane.meshes.get("default")?.proxies.get("web")?.isSynced));
    assert.equal(certificateOf(proxy)?.serialNumber, first?.serialNumber, `a new certificate after restart ${round}`);
  }
});

const { certificate, key } = builtinSecretNames("default", "ca-1");

for (const lost of [[key], [certificate], [certificate, key]]) {
  const what = lost.join(" and ");
  test(`an authority that lost ${what} is told at the next start, and not made anew`, async (t) => {
    const { start, log } = await restartable(t);
    let controlPlane = await start();
    t.after(() => controlPlane[Symbol.asyncDispose]());
    const proxy = await withCertificate(t, controlPlane);
    const first = certificateOf(proxy);
    for (const name of lost) await controlPlane.store.delete({ type: "Secret", mesh: "default", name });
    await controlPlane[Symbol.asyncDispose]();
    controlPlane = await start();
    await proxy.connect();
    await eventually(() => assert.ok(controlPlane.meshes.get("default")?.proxies.has("web")));
    assert.match(log.join("\n"), new RegExp(`secret "(${lost.join("|")})" is gone; restore it`));
    const { items } = await controlPlane.store.list({ type: "Secret", mesh: "default" });
    const names = items.map(({ name }) => name);
    for (const name of lost) assert.ok(!names.includes(name), `${name} was made anew`);
    assert.equal(certificateOf(proxy)?.serialNumber, first?.serialNumber);
  });
}
