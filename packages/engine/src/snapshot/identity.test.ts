import assert from "node:assert/strict";
import { test } from "node:test";
import { yamlMesh } from "../testkit/yaml-mesh.ts";
import { applyChanges } from "./apply-changes.ts";
import { identityOf } from "./identity.ts";
import type { MeshSnapshot } from "./snapshot.ts";

const MTLS = "{ type: Mesh, name: default, mtls: { enabledBackend: ca, backends: [{ name: ca, type: builtin }] } }";
const proxies = `
---
type: Dataplane
name: web-1
labels: { team: a, kuma.io/workload: web }
networking:
  address: 10.0.0.1
  inbound:
    - { port: 8080, servicePort: 1, tags: { kuma.io/service: web, version: v1 } }
    - { port: 8081, servicePort: 2, tags: { kuma.io/service: admin, version: v1 } }
---
type: Dataplane
name: job-1
labels: { kuma.io/workload: job }
networking: { address: 10.0.0.2 }
---
type: Dataplane
name: bare-1
networking: { address: 10.0.0.3 }
`;
const identity = (name: string, labels: string, more = "") => `
---
type: MeshIdentity
name: ${name}
spec:
  selector: { dataplane: { matchLabels: ${labels} } }
  provider: { type: Bundled, bundled: { autogenerate: { enabled: true }, insecureAllowSelfSigned: true } }
  ${more}`;

function of(mesh: MeshSnapshot, proxy: string) {
  const entry = mesh.dataplanes.get(proxy);
  assert.ok(entry !== undefined);
  return identityOf(mesh, entry.resource);
}

test("identityOf() gives nobody an identity without mutual TLS", () => {
  assert.equal(of(yamlMesh(`{ type: Mesh, name: default }${proxies}`), "web-1"), undefined);
});

test("identityOf() writes the services of a proxy into its certificate, and every tag after them", () => {
  const found = of(yamlMesh(MTLS + proxies), "web-1");
  assert.deepEqual(found?.spiffeIds, ["spiffe://default/admin", "spiffe://default/web"]);
  assert.deepEqual(found?.uris, [
    "spiffe://default/admin",
    "spiffe://default/web",
    "kuma://kuma.io/service/admin",
    "kuma://kuma.io/service/web",
    "kuma://version/v1",
  ]);
  assert.equal(found?.tls.mode, "strict");
});

test("identityOf() names a proxy without services after its workload, and without that after itself", () => {
  const mesh = yamlMesh(MTLS + proxies);
  assert.deepEqual(of(mesh, "job-1")?.spiffeIds, ["spiffe://default/job"]);
  assert.deepEqual(of(mesh, "bare-1")?.spiffeIds, ["spiffe://default/bare-1"]);
});

test("identityOf() prefers the MeshIdentity that says most about a proxy", () => {
  const mesh = yamlMesh(MTLS + proxies + identity("all", "{}") + identity("team", "{ team: a }"));
  assert.equal(of(mesh, "web-1")?.tls.identitySecret, "kri_mid_default___team_");
  assert.equal(of(mesh, "job-1")?.tls.identitySecret, "kri_mid_default___all_");
  assert.deepEqual(of(mesh, "web-1")?.uris, ["spiffe://default.zone-1.mesh.local/workload/web"]);
});

test("identityOf() leaves a proxy out that a MeshIdentity cannot name, rather than fall back to another identity", () => {
  const found = of(yamlMesh(MTLS + proxies + identity("all", "{}")), "bare-1");
  assert.deepEqual(found?.uris, []);
  assert.match(found?.problem ?? "", /\.Workload/);
});

test("identityOf() lets proxies with the same part in mutual TLS share it, and makes it anew when trust changes", () => {
  const mesh = yamlMesh(MTLS + proxies);
  assert.equal(of(mesh, "web-1")?.tls, of(mesh, "job-1")?.tls);
  const trust = { type: "MeshTrust", mesh: "default", name: "t", labels: {}, version: 1 };
  const spec = { trustDomain: "partner.example", caBundles: [] };
  const times = { creationTime: "", modificationTime: "" };
  const trusting = applyChanges(mesh, [{ what: "put", resource: { ...trust, ...times, spec } }]).snapshot;
  assert.deepEqual(of(trusting, "web-1")?.tls.trustPrefixes, ["spiffe://default/", "spiffe://partner.example/"]);
  assert.equal(of(trusting, "web-1")?.hash, of(mesh, "web-1")?.hash);
});
