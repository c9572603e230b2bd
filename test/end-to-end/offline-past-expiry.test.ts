/** Proxies that could not renew their certificate until it ended: they recover by themselves, and others notice nothing. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { CertificateReport, CertificatesReport } from "@heddle/api/reports.ts";
import { application } from "../support/application.ts";
import { renewed, serials, SHORT_CONNECTIONS } from "../support/authorities.ts";
import { eventually } from "../support/eventually.ts";
import { envoyOf } from "../support/kill-sidecar.ts";
import { ALLOW_ALL, type Lab, Mesh, meshService, mtls, type Sidecar, startLab } from "../support/lab.ts";
import { tcpProxy } from "../support/tcp-proxy.ts";
import { ask, askAnew, steadyTraffic } from "../support/traffic.ts";

const LIFE = "12s";

interface Scene {
  readonly lab: Lab;
  /** A caller that is always there. */
  readonly steady: Sidecar;
}

async function scene(t: TestContext): Promise<Scene> {
  const lab = await startLab(t);
  await lab.apply([mtls(), ALLOW_ALL, SHORT_CONNECTIONS, meshService("backend")].join("---\n"));
  const { port: servicePort } = await application(t, "backend");
  await lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort });
  return { lab, steady: await lab.sidecar({ name: "steady", calls: ["backend"] }) };
}

async function certificateOf(lab: Lab, name: string): Promise<CertificateReport | undefined> {
  const { items } = (await lab.get("/meshes/default/_certificates")) as CertificatesReport;
  return items.find((each) => each.name === name);
}

/** Waits until the certificate that the proxy had when this began has ended. */
async function pastExpiry(lab: Lab, name: string): Promise<void> {
  const end = Date.parse((await certificateOf(lab, name))?.expiresAt ?? "");
  assert.ok(Number.isFinite(end), `${name} has no certificate`);
  await eventually(() => assert.ok(Date.now() > end + 500, "the certificate has not ended yet"), 15_000);
}

/** What the port for metrics counts: certificates of connected proxies in this state. */
async function certificatesIn(lab: Lab, state: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${lab.controlPlane.diagnosticsPort}/metrics`)).text();
  const line = new RegExp(`^mesh_dataplane_certificates\\{mesh="default",state="${state}"\\} (\\d+)$`, "m");
  return Number(line.exec(text)?.[1]);
}

/** Nobody has to do anything: it serves again, with another certificate. */
async function recovers(lab: Lab, away: Sidecar): Promise<void> {
  await eventually(async () => {
    const { status, body } = await askAnew(away.outbound("backend"));
    assert.equal(status, 200, body);
    const found = await certificateOf(lab, away.name);
    assert.ok(found?.online && Date.parse(found.expiresAt ?? "") > Date.now(), JSON.stringify(found));
  }, 20_000);
}

/** A test that failed leaves no frozen Envoy; one that did not has ended it by then. */
function thaw(pid: number): void {
  try {
    process.kill(pid, "SIGCONT");
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ESRCH");
  }
}

test("an Envoy that was frozen until its certificate had ended recovers by itself", async (t) => {
  const { lab, steady } = await scene(t);
  const away = await lab.sidecar({ name: "away", calls: ["backend"] });
  await eventually(async () => assert.equal((await ask(away.outbound("backend"))).status, 200));
  await eventually(async () => assert.equal((await ask(steady.outbound("backend"))).status, 200));
  const before = serials(lab);
  await lab.apply(mtls("STRICT", LIFE));
  await renewed(lab, before);
  const others = steadyTraffic(t, steady.outbound("backend"), 20);
  const pid = await envoyOf(lab, "away");
  process.kill(pid, "SIGSTOP");
  t.after(() => thaw(pid));
  await pastExpiry(lab, "away");
  process.kill(pid, "SIGCONT");
  await recovers(lab, away);
  await eventually(async () => assert.equal(await certificatesIn(lab, "ok"), 3));
  assert.deepEqual((await others.stop()).failures, []);
});

test("a proxy that was cut off from the control plane until its certificate had ended recovers by itself", async (t) => {
  const { lab, steady } = await scene(t);
  const way = await tcpProxy(t, lab.at.dpPort);
  const far = new Mesh(t, { ...lab.at, dpPort: way.port }, lab.folder);
  const away = await far.sidecar({ name: "away", calls: ["backend"] });
  await eventually(async () => assert.equal((await ask(away.outbound("backend"))).status, 200));
  await eventually(async () => assert.equal((await ask(steady.outbound("backend"))).status, 200));
  const before = serials(lab);
  await lab.apply(mtls("STRICT", LIFE));
  await renewed(lab, before);
  const others = steadyTraffic(t, steady.outbound("backend"), 20);
  way.line = "cut";
  await pastExpiry(lab, "away");
  await eventually(async () => assert.equal((await askAnew(away.outbound("backend"))).status, 503));
  way.line = "open";
  await recovers(lab, away);
  assert.deepEqual((await others.stop()).failures, []);
});
