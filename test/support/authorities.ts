import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { stringify } from "yaml";
import { application } from "./application.ts";
import { eventually } from "./eventually.ts";
import { ALLOW_ALL, type Lab, meshService } from "./lab.ts";
import { ask } from "./traffic.ts";

/** The authority that Heddle makes itself. */
export const BUILTIN = { name: "ca-1", type: "builtin" };

/** Mesh default, with these authorities. */
export function mesh(enabledBackend: string, ...backends: readonly object[]): string {
  return stringify({ type: "Mesh", name: "default", mtls: { enabledBackend, backends } });
}

/** A Secret of mesh default. */
export function secret(name: string, text: string): string {
  return stringify({ type: "Secret", mesh: "default", name, data: Buffer.from(text).toString("base64") });
}

/** Connections to these servers end at once, so that handshakes happen all the time, with certificates old and new. */
export function shortConnections(targetRef: object): string {
  const to = [{ targetRef, default: { http: { maxConnectionDuration: "20ms" } } }];
  return stringify({ type: "MeshTimeout", mesh: "default", name: "short-connections", spec: { to } });
}

/** The same for all connections between proxies. */
export const SHORT_CONNECTIONS = shortConnections({ kind: "Mesh" });

/** A service and a caller in a mesh, with mutual TLS by a builtin authority; `served` waits for so many more requests. */
export async function twoServices(
  t: TestContext,
  lab: Lab,
): Promise<{ readonly url: string; readonly served: (more: number) => Promise<void> }> {
  await lab.apply([mesh("ca-1", BUILTIN), ALLOW_ALL, SHORT_CONNECTIONS, meshService("backend")].join("---\n"));
  let requests = 0;
  const app = await application(t, "backend", (_, response) => {
    requests += 1;
    response.end("backend");
  });
  await lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port });
  const web = await lab.sidecar({ name: "web-1", labels: { "kuma.io/workload": "web" }, calls: ["backend"] });
  const url = web.outbound("backend");
  await eventually(async () => assert.equal((await ask(url)).status, 200));
  const served = async (more: number): Promise<void> => {
    const wanted = requests + more;
    await eventually(() => assert.ok(requests >= wanted, `${wanted - requests} requests to go`));
  };
  return { url, served };
}

/** Waits until every proxy has a certificate of this backend, as its insight says. */
export async function issuedBy(lab: Lab, backend: string): Promise<void> {
  await eventually(async () => {
    const { items } = await lab.controlPlane.store.list({ type: "DataplaneInsight" });
    const backends = items.map(({ spec }) => (spec as { mTLS?: { issuedBackend?: string } }).mTLS?.issuedBackend);
    assert.deepEqual(backends, [backend, backend]);
    for (const { held } of lab.controlPlane.meshes.get("default")?.proxies.values() ?? [])
      assert.ok(held !== undefined && held.renewAt > new Date(), "a certificate is due");
  });
  await lab.settled();
}

/** Which certificate each proxy has. */
export function serials(lab: Lab): readonly (string | undefined)[] {
  return [...(lab.controlPlane.meshes.get("default")?.proxies.values() ?? [])].map(({ held }) => held?.secret.version);
}

/** Waits until both proxies have another certificate than these. */
export async function renewed(lab: Lab, before: readonly (string | undefined)[], patience = 10_000): Promise<void> {
  await eventually(() => {
    for (const version of serials(lab)) assert.ok(!before.includes(version), "a certificate is still the old one");
  }, patience);
  await lab.settled();
}
