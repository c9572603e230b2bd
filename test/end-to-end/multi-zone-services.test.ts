import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { stringify } from "yaml";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { ALLOW_ALL, meshService, mtls, startLab } from "../support/lab.ts";
import { ask } from "../support/traffic.ts";

const BOTH = stringify({
  type: "MeshMultiZoneService",
  mesh: "default",
  name: "both",
  spec: { selector: { meshService: { matchLabels: { tier: "shop" } } }, ports: [{ port: 80, appProtocol: "http" }] },
});

function labelled(yaml: string): string {
  return `${yaml}labels:\n  tier: shop\n`;
}

test("a MeshMultiZoneService balances over the MeshServices that it selects, over mutual TLS", async (t) => {
  const lab = await startLab(t);
  await lab.apply(mtls());
  await lab.apply(ALLOW_ALL);
  await lab.apply(BOTH);
  for (const name of ["one", "two"]) await lab.apply(labelled(meshService(name)));
  const instance = async (name: string) => {
    const app = await application(t, name);
    return await lab.sidecar({ name: `${name}-1`, labels: { app: name }, servicePort: app.port });
  };
  const called = "MeshMultiZoneService/both";
  const [client] = await Promise.all([
    lab.sidecar({ name: "client", labels: { app: "client" }, calls: [called] }),
    instance("one"),
    instance("two"),
  ]);
  await lab.settled();

  await t.test("both of them answer, evenly", async () => {
    await eventually(async () => assert.equal((await ask(client.outbound(called))).status, 200));
    const answers = await Promise.all(Array.from({ length: 400 }, () => ask(client.outbound(called))));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    const share = answers.filter(({ body }) => body === "one").length;
    // Round robin; how it falls on Envoy's workers is chance.
    assert.ok(share > 120 && share < 280, `${share} of 400 requests went to the first`);
  });

  await t.test("MeshLoadBalancingStrategy means it: requests with the same header stay together", async () => {
    const hashPolicies = [{ type: "Header", header: { name: "x-user" } }];
    const loadBalancer = { type: "RingHash", ringHash: { hashPolicies } };
    const to = [{ targetRef: { kind: "MeshMultiZoneService", name: "both" }, default: { loadBalancer } }];
    await lab.apply(stringify({ type: "MeshLoadBalancingStrategy", mesh: "default", name: "sticky", spec: { to } }));
    await lab.settled();
    await eventually(async () => {
      const asked = Array.from({ length: 40 }, () => ask(client.outbound(called), { headers: { "x-user": "anna" } }));
      assert.equal(new Set((await Promise.all(asked)).map(({ body }) => body)).size, 1);
    });
    await lab.delete("MeshLoadBalancingStrategy", "sticky");
  });

  await t.test("a MeshService that loses the label is no longer called", async () => {
    await lab.apply(meshService("two"));
    await lab.settled();
    await eventually(async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask(client.outbound(called))));
      assert.deepEqual([...new Set(answers.map(({ body }) => body))], ["one"]);
    });
    await eventually(async () => {
      const { status } = (await lab.get("/meshes/default/meshmultizoneservices/both")) as { status?: Status };
      assert.deepEqual(
        status?.meshServices?.map(({ name }) => name),
        ["one"],
      );
    });
  });
});

interface Status {
  readonly meshServices?: readonly { readonly name: string }[];
  readonly vips?: readonly { readonly ip: string }[];
  readonly addresses?: readonly { readonly hostname: string }[];
}

test("services have their host names and addresses from the start, and keep them over a restart", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "heddle-test-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const settings = { storeType: "sqlite", dataFolder: folder };
  const first = await startLab(t, settings);
  await first.apply(meshService("web"));
  const before = await eventually(async () => {
    const { status } = (await first.get("/meshes/default/meshservices/web")) as { status?: Status };
    assert.match(status?.vips?.[0]?.ip ?? "", /^241\./);
    assert.equal(status?.addresses?.[0]?.hostname, "web.svc.mesh.local");
    return status;
  });
  assert.deepEqual(await first.get("/meshes/default/meshservices/web/_hostnames"), {
    total: 1,
    items: [{ hostname: "web.svc.mesh.local", zones: [{ name: "default" }] }],
  });
  await first.controlPlane[Symbol.asyncDispose]();
  const second = await startLab(t, settings);
  await second.apply(meshService("newer"));
  await eventually(async () => {
    const { status } = (await second.get("/meshes/default/meshservices/newer")) as { status?: Status };
    assert.equal(status?.addresses?.length, 1);
  });
  const { status } = (await second.get("/meshes/default/meshservices/web")) as { status?: Status };
  assert.deepEqual(status, before);
});

test("no HostnameGenerator is made when the operator wants none", async (t) => {
  const lab = await startLab(t, { skipHostnameGenerators: "true" });
  const { total } = (await lab.get("/hostnamegenerators")) as { total: number };
  assert.equal(total, 0);
});
