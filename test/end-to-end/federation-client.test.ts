import assert from "node:assert/strict";
import { test } from "node:test";
import { stringify } from "yaml";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { authority } from "../support/foreign-authority.ts";
import { type Lab, startLab } from "../support/lab.ts";
import { rogueServer } from "../support/rogue-server.ts";
import { ask } from "../support/traffic.ts";

const DOMAIN = { a: "a.default.mesh.local", b: "b.default.mesh.local" };
const BACKEND = `spiffe://${DOMAIN.b}/workload/backend`;
const WEB = `spiffe://${DOMAIN.a}/workload/web`;

type Name = keyof typeof DOMAIN;

const identity = (mesh: Name): string =>
  stringify({
    type: "MeshIdentity",
    mesh,
    name: "own",
    spec: {
      selector: { dataplane: { matchLabels: {} } },
      provider: { type: "Bundled", bundled: { autogenerate: { enabled: true }, insecureAllowSelfSigned: true } },
    },
  });

const ALLOW_WEB = stringify({
  type: "MeshTrafficPermission",
  mesh: "b",
  name: "web-of-a",
  spec: { rules: [{ default: { allow: [{ spiffeID: { type: "Exact", value: WEB } }] } }] },
});

const external = (port: number): string =>
  stringify({
    type: "MeshExternalService",
    mesh: "a",
    name: "backend",
    spec: {
      match: { type: "HostnameGenerator", port: 80, protocol: "http" },
      endpoints: [{ address: "localhost", port }],
      tls: { enabled: true, meshIdentity: true, verification: { subjectAltNames: [{ value: BACKEND }] } },
    },
  });

/** Takes the public half of one mesh's trust over into another one, as its operator would. */
async function exchange(lab: Lab, from: Name, to: Name): Promise<void> {
  const { spec } = (await lab.get(`/meshes/${from}/meshtrusts/own`)) as { spec: object };
  assert.doesNotMatch(JSON.stringify(spec), /PRIVATE/);
  await lab.apply(stringify({ type: "MeshTrust", mesh: to, name: `mesh-${from}`, spec }));
}

test("federation: a client calls a service of another mesh with its own identity, and nobody else in its place", async (t) => {
  const lab = await startLab(t);
  for (const mesh of ["a", "b"] as const) {
    await lab.apply(`type: Mesh\nname: ${mesh}\n`);
    await lab.apply(identity(mesh));
  }
  const app = await application(t, "backend", ({ headers }, response) => {
    response.end(String(headers["x-forwarded-client-cert"] ?? "nobody"));
  });
  const workload = (name: string) => ({ "kuma.io/workload": name });
  const [backend, web] = await Promise.all([
    lab.sidecar({ mesh: "b", name: "backend-1", labels: workload("backend"), servicePort: app.port }),
    lab.sidecar({ mesh: "a", name: "web-1", labels: workload("web"), calls: ["MeshExternalService/backend"] }),
  ]);
  const url = web.outbound("MeshExternalService/backend");
  const answers = async (status: number, body: RegExp): Promise<void> => {
    await eventually(async () => {
      const answer = await ask(url);
      assert.equal(answer.status, status, answer.body);
      assert.match(answer.body, body);
    });
  };

  await t.test("not without trust on either side", async () => {
    await lab.apply(external(backend.inboundPort));
    await lab.settled();
    await answers(503, /./);
    const layout = (await lab.get("/meshes/a/dataplanes/web-1/_layout")) as { outbounds: { problem?: string }[] };
    assert.match(
      layout.outbounds[0]?.problem ?? "",
      /no MeshTrust of the mesh names trust domain "b.default.mesh.local"/,
    );
    await exchange(lab, "b", "a");
    await lab.settled();
    await answers(503, /TLS|reset|connect/i);
  });

  await t.test("not without a permission, and with one as itself", async () => {
    await exchange(lab, "a", "b");
    await answers(403, /RBAC/);
    await lab.apply(ALLOW_WEB);
    await answers(200, new RegExp(`By=${BACKEND};.*URI=${WEB}`));
    await lab.delete("MeshTrafficPermission", "web-of-a", "b");
    await answers(403, /RBAC/);
    await lab.apply(ALLOW_WEB);
    await answers(200, new RegExp(`URI=${WEB}`));
  });

  await t.test("no server of a third trust domain in its place", async () => {
    const third = await authority("third.example");
    const rogue = await rogueServer(t, await third.issue(BACKEND));
    await lab.apply(external(rogue.port));
    await lab.settled();
    for (const uris of [[BACKEND], ["spiffe://third.example/x", BACKEND], ["spiffe://third.example/x"]]) {
      rogue.show(await third.issue(...uris));
      const before = rogue.called();
      await answers(503, /TLS|reset|connect/i);
      assert.ok(rogue.called() > before, "the client must have tried");
    }
    assert.equal(rogue.got(), 0, "the request must not reach it");
    await lab.apply(external(backend.inboundPort));
    await answers(200, new RegExp(`URI=${WEB}`));
  });

  await t.test("no more when either side has withdrawn its trust", async () => {
    await lab.delete("MeshTrust", "mesh-b", "a");
    await answers(503, /./);
    await exchange(lab, "b", "a");
    await answers(200, new RegExp(`URI=${WEB}`));
    await lab.delete("MeshTrust", "mesh-a", "b");
    await lab.settled();
    await eventually(async () => assert.notEqual((await ask(url)).status, 200));
  });
});
