import assert from "node:assert/strict";
import { test } from "node:test";
import { stringify } from "yaml";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { fakeSidecar } from "../support/fake-sidecar.ts";
import { type Lab, meshService, mtls, startLab } from "../support/lab.ts";
import { certificateFor, stolenAuthority, stolenIdentityAuthority } from "../support/rogue-certificates.ts";
import { authority, callWith } from "../support/foreign-authority.ts";
import { rogueServer } from "../support/rogue-server.ts";
import { ask } from "../support/traffic.ts";

const OWN = "default.default.mesh.local";
const IDENTITY = `
type: MeshIdentity
mesh: default
name: own
spec:
  selector: { dataplane: { matchLabels: {} } }
  provider: { type: Bundled, bundled: { autogenerate: { enabled: true }, insecureAllowSelfSigned: true } }
`;

const trust = (name: string, trustDomain: string, pem: string): string =>
  stringify({
    type: "MeshTrust",
    mesh: "default",
    name,
    spec: { trustDomain, caBundles: [{ type: "Pem", pem: { value: pem } }] },
  });

const allow = (name: string, value: string): string =>
  stringify({
    type: "MeshTrafficPermission",
    mesh: "default",
    name,
    spec: { rules: [{ default: { allow: [{ spiffeID: { type: "Prefix", value } }] } }] },
  });

test("federation: callers of a trust domain get in with a MeshTrust and a permission, and speak for no other domain", async (t) => {
  const lab = await startLab(t);
  await lab.apply(IDENTITY);
  const app = await application(t, "backend", (message, response) => {
    response.end(String(message.headers["x-forwarded-client-cert"] ?? "nobody"));
  });
  const { inboundPort } = await lab.sidecar({
    name: "backend-1",
    labels: { app: "backend", "kuma.io/workload": "backend" },
    servicePort: app.port,
  });
  const [partner, third] = [await authority("partner.example"), await authority("third.example")];
  const web = await partner.issue("spiffe://partner.example/web");

  assert.equal(await callWith(inboundPort, web), "refused", "nobody trusts the partner yet");
  await lab.apply(allow("partner", "spiffe://partner.example/"));
  await lab.settled();
  assert.equal(await callWith(inboundPort, web), "refused", "a permission is no trust");
  await lab.delete("MeshTrafficPermission", "partner");
  await lab.apply(trust("partner", "partner.example", partner.pem));
  await eventually(async () => assert.match(await callWith(inboundPort, web), /^403 /, "trust is no permission"));
  await lab.apply(allow("partner", "spiffe://partner.example/"));
  await eventually(async () =>
    assert.match(await callWith(inboundPort, web), /^200 .*URI=spiffe:\/\/partner.example\/web/),
  );

  await lab.apply(allow("own", `spiffe://${OWN}/`));
  await lab.settled();
  const posing = await partner.issue(`spiffe://${OWN}/workload/web`);
  assert.equal(await callWith(inboundPort, posing), "refused", "the partner's authority does not speak for this mesh");
  const both = await partner.issue("spiffe://partner.example/nobody", `spiffe://${OWN}/workload/web`);
  assert.equal(await callWith(inboundPort, both), "refused", "nor in a second URI");
  const other = await third.issue("spiffe://third.example/web");
  assert.equal(await callWith(inboundPort, other), "refused", "whom the partner trusts is not trusted here");
});

for (const { what, mesh, id, stolen } of [
  { what: "a MeshIdentity", mesh: IDENTITY, id: `spiffe://${OWN}/workload/backend`, stolen: stolenIdentityAuthority },
  { what: "Mesh.mtls", mesh: mtls(), id: "spiffe://default/backend", stolen: (lab: Lab) => stolenAuthority(lab) },
]) {
  test(`federation: with ${what}, no server of another trust domain passes for one of this mesh`, async (t) => {
    const lab = await startLab(t);
    const partner = await authority("partner.example");
    await lab.apply([mesh, trust("partner", "partner.example", partner.pem), meshService("backend")].join("---\n"));
    const rogue = await rogueServer(t, await partner.issue("spiffe://partner.example/rogue", id));
    const stale = fakeSidecar(t, lab.at, {
      name: "backend-1",
      token: await lab.token("backend-1", "default", "1h", "backend"),
      labels: { app: "backend", "kuma.io/workload": "backend" },
      networking: { inbound: [{ port: rogue.port, servicePort: 8_080, name: "main", protocol: "http" }] },
    });
    await stale.connect();
    await lab.settled();
    const web = await lab.sidecar({ name: "web-1", labels: { "kuma.io/workload": "web" }, calls: ["backend"] });
    const strange = await eventually(async () => {
      const answer = await ask(web.outbound("backend"));
      assert.ok(rogue.called() > 0, `nobody called yet: ${answer.body}`);
      return answer;
    });
    assert.equal(strange.status, 503, strange.body);
    assert.equal(rogue.got(), 0, "the request must not reach the other domain's server");

    rogue.show(await certificateFor(await stolen(lab, "own"), [id]));
    await eventually(async () => assert.equal((await ask(web.outbound("backend"))).body, "answered"));
  });
}
