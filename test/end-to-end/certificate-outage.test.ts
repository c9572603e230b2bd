import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect } from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";
import type { CertificatesReport } from "@heddle/api/reports.ts";
import { runHeddle } from "@heddle/cli/testkit/run-heddle.ts";
import { application } from "../support/application.ts";
import { SHORT_CONNECTIONS } from "../support/authorities.ts";
import { ControlPlaneProcess } from "../support/control-plane-process.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { ALLOW_ALL, Mesh, meshService, mtls } from "../support/lab.ts";
import { ask, steadyTraffic } from "../support/traffic.ts";

const LIFE = 20_000;
/** Half of their life, where a third would be what certificates have left without a target. */
const TARGET = 10_000;

async function controlPlane(t: TestContext): Promise<{ readonly cp: ControlPlaneProcess; readonly mesh: Mesh }> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-test-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const more = { HEDDLE_CERTIFICATES_AVAILABILITY_TARGET: `${TARGET}ms` };
  const cp = new ControlPlaneProcess(folder, await freePorts(3), more);
  t.after(() => cp.kill());
  await cp.start();
  return { cp, mesh: new Mesh(t, { apiUrl: cp.apiUrl, dpPort: cp.dpPort, caPem: await cp.caPem() }, folder) };
}

/** What a caller thinks of the certificate that a sidecar shows; undefined when it is good. */
async function verdict(port: number, ca: string): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const socket = connect({
    host: "127.0.0.1",
    port,
    ca,
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
  socket.once("secureConnect", () => resolve((socket.authorizationError as unknown as string | null) ?? undefined));
  socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.message));
  const found = await promise;
  socket.destroy();
  return found;
}

test("an outage as long as the availability target fails no request; the CLI said when the first would, and all recovers", async (t) => {
  const { cp, mesh } = await controlPlane(t);
  await mesh.apply([mtls("STRICT", `${LIFE}ms`), ALLOW_ALL, SHORT_CONNECTIONS, meshService("backend")].join("---\n"));
  const app = await application(t, "backend");
  const backend = await mesh.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port });
  const web = await mesh.sidecar({ name: "web-1", labels: { "kuma.io/workload": "web" }, calls: ["backend"] });
  const url = web.outbound("backend");
  await eventually(async () => assert.equal((await ask(url)).status, 200));
  const certificates = async (): Promise<CertificatesReport> =>
    (await mesh.get("/meshes/default/_certificates")) as CertificatesReport;
  const { data } = (await mesh.get("/meshes/default/secrets/default.ca-builtin-cert-ca-1")) as { data: string };
  const root = Buffer.from(data, "base64").toString("utf8");
  const traffic = steadyTraffic(t, url, 50);

  // The worst moment is right before a renewal; the CLI is asked a little earlier, for it takes its time to start.
  const { first, due } = await eventually(async () => {
    const found = await certificates();
    const next = Math.min(...found.items.map(({ renewsAt }) => Date.parse(renewsAt ?? "")));
    assert.ok(next - Date.now() > 3_500, "the next renewal is too near");
    return { first: found, due: next };
  }, 20_000);
  await sleep(due - Date.now() - 3_000);
  const { stdout } = await runHeddle(["inspect", "certificates"], { env: { HEDDLE_ADDRESS: cp.apiUrl } });
  const said = Date.parse(/may be away until (\S+) /.exec(stdout)?.[1] ?? "");
  await sleep(Math.max(0, due - Date.now() - 200));
  await cp.kill();
  const killed = Date.now();
  assert.ok(said - killed >= TARGET - 1_000, `only ${said - killed} ms were left:\n${stdout}`);
  await sleep(TARGET);
  const during = await traffic.stop();
  assert.deepEqual(during.failures, []);
  assert.ok(during.total >= 300, `${during.total} requests`);

  // Whoever resumes a session is not asked for a certificate again: a handshake from the start tells.
  assert.equal(await verdict(backend.inboundPort, root), undefined);
  const end = Date.parse(first.items.find(({ name }) => name === "backend-1")?.expiresAt ?? "");
  assert.ok(said <= end, "the time that was told is that of the first");
  await sleep(Math.max(0, end - Date.now() + 1_000));
  assert.equal(await verdict(backend.inboundPort, root), "CERT_HAS_EXPIRED");

  await cp.start();
  await eventually(async () => assert.equal((await ask(url)).status, 200), 15_000);
  await eventually(async () => {
    const { states, firstExpiry } = await certificates();
    assert.equal(states.ok, 2, JSON.stringify(states));
    assert.ok(Date.parse(firstExpiry?.expiresAt ?? "") > Date.now());
  });
});
