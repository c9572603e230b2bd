import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { AuthoritiesReport, CertificatesReport } from "@heddle/api/reports.ts";
import { stringify } from "yaml";
import { application } from "../support/application.ts";
import { controlPlaneProcess } from "../support/control-plane-process.ts";
import { eventually } from "../support/eventually.ts";
import { ALLOW_ALL, Mesh, meshService } from "../support/lab.ts";
import { startOpenBao } from "../support/openbao.ts";
import { tcpProxy } from "../support/tcp-proxy.ts";
import { ask, steadyTraffic } from "../support/traffic.ts";

test("a control plane that is restarted while Vault is away changes nothing, says so, and goes on when Vault is back", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "heddle-test-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const bao = await startOpenBao(t);
  const vault = await tcpProxy(t, Number(new URL(bao.address).port));
  const cp = await controlPlaneProcess(t, folder);
  const mesh = new Mesh(t, { apiUrl: cp.apiUrl, dpPort: cp.dpPort, caPem: await cp.caPem() }, folder);
  const auth = { token: { inlineString: await bao.token({ ttl: "1h" }) } };
  const fromCp = { address: `http://127.0.0.1:${vault.port}`, pki: "pki-default", role: "dataplanes", auth };
  const byVault = (expiration: string): string =>
    stringify({
      type: "Mesh",
      name: "default",
      mtls: {
        enabledBackend: "vault-1",
        backends: [{ name: "vault-1", type: "vault", dpCert: { rotation: { expiration } }, conf: { fromCp } }],
      },
    });
  await mesh.apply([byVault("24h"), ALLOW_ALL, meshService("backend")].join("---\n"));
  const app = await application(t, "backend");
  await mesh.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port });
  const web = await mesh.sidecar({ name: "web-1", labels: { "kuma.io/workload": "web" }, calls: ["backend"] });
  const url = web.outbound("backend");
  await eventually(async () => assert.equal((await ask(url)).status, 200));
  const authority = async (): Promise<AuthoritiesReport["items"][number] | undefined> =>
    ((await mesh.get("/meshes/default/_authorities")) as AuthoritiesReport).items[0];
  const issued = async (): Promise<readonly (string | undefined)[]> => {
    const { items } = (await mesh.get("/meshes/default/_certificates")) as CertificatesReport;
    assert.ok(items.length === 2 && items.every(({ online }) => online), JSON.stringify(items));
    return items.map(({ issuedAt }) => issuedAt).toSorted();
  };
  const before = await issued();
  const roots = (await authority())?.roots;
  const traffic = steadyTraffic(t, url, 50);

  vault.line = "cut";
  await cp.kill();
  await cp.start();
  await eventually(async () => {
    const found = await authority();
    assert.equal(found?.state, "down");
    assert.match(found?.reason ?? "", /Cannot reach Vault/);
    assert.deepEqual(found?.roots, roots, "what proxies trust is not what it was");
  });
  await eventually(async () => assert.deepEqual(await issued(), before), 20_000);
  await sleep(1_000);
  assert.deepEqual(await issued(), before);

  vault.line = "open";
  await eventually(async () => assert.equal((await authority())?.state, "ready"), 20_000);
  await mesh.apply(byVault("12h"));
  await eventually(async () => {
    for (const time of await issued()) assert.ok(!before.includes(time), "a certificate is still the old one");
  });
  const tally = await traffic.stop();
  assert.deepEqual(tally.failures, []);
  assert.ok(tally.total >= 100, `${tally.total} requests`);
});
