import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { AuthoritiesReport } from "@heddle/api/reports.ts";
import { stringify } from "yaml";
import { application } from "../support/application.ts";
import { secret, SHORT_CONNECTIONS } from "../support/authorities.ts";
import { eventually } from "../support/eventually.ts";
import { ALLOW_ALL, meshService, startLab } from "../support/lab.ts";
import { startOpenBao } from "../support/openbao.ts";
import { tcpProxy } from "../support/tcp-proxy.ts";
import { ask, steadyTraffic } from "../support/traffic.ts";

/** Requests to Vault in the three seconds after it went away: a probe is one or two, after 0.25 s, then ever more rarely. */
const MOST_REQUESTS = 14;

test("Vault unreachable, silent, or with a revoked token: traffic goes on, the reason is told, few requests, recovery by itself", async (t) => {
  const bao = await startOpenBao(t);
  const vault = await tcpProxy(t, Number(new URL(bao.address).port));
  const lab = await startLab(t);
  // Another life of certificates makes new ones necessary now; while Vault is away a write is not tried against it.
  const mesh = (expiration: string): string =>
    stringify({
      type: "Mesh",
      name: "default",
      mtls: {
        enabledBackend: "vault-1",
        skipValidation: true,
        backends: [
          {
            name: "vault-1",
            type: "vault",
            dpCert: { rotation: { expiration }, requestTimeout: "1s" },
            rootChain: { requestTimeout: "1s" },
            conf: {
              fromCp: {
                address: `http://127.0.0.1:${vault.port}`,
                pki: "pki-default",
                role: "dataplanes",
                auth: { token: { secret: "vault-token" } },
              },
            },
          },
        ],
      },
    });
  let token = await bao.token({ ttl: "1h" });
  await lab.apply(
    [secret("vault-token", token), mesh("24h"), ALLOW_ALL, SHORT_CONNECTIONS, meshService("backend")].join("---\n"),
  );
  const app = await application(t, "backend");
  await lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port });
  const web = await lab.sidecar({ name: "web-1", labels: { "kuma.io/workload": "web" }, calls: ["backend"] });
  await eventually(async () => assert.equal((await ask(web.outbound("backend"))).status, 200));
  const traffic = steadyTraffic(t, web.outbound("backend"), 50);
  const authority = async (): Promise<AuthoritiesReport["items"][number] | undefined> =>
    ((await lab.get("/meshes/default/_authorities")) as AuthoritiesReport).items[0];
  const versions = (): readonly (string | undefined)[] =>
    [...(lab.controlPlane.meshes.get("default")?.proxies.values() ?? [])].map(({ held }) => held?.secret.version);

  const troubles: readonly {
    readonly reason: RegExp;
    readonly begin: () => unknown;
    readonly end: () => unknown;
    readonly life: string;
  }[] = [
    {
      reason: /Cannot reach Vault at http:/,
      begin: () => (vault.line = "cut"),
      end: () => (vault.line = "open"),
      life: "23h",
    },
    {
      reason: /no answer within 1000 ms/,
      begin: () => (vault.line = "silent"),
      end: () => (vault.line = "open"),
      life: "22h",
    },
    {
      reason: /Vault denies|permission denied|invalid token/,
      begin: () => bao.call("POST", "auth/token/revoke", { token }),
      end: async () => {
        token = await bao.token({ ttl: "1h" });
        await lab.apply(secret("vault-token", token));
      },
      life: "21h",
    },
  ];
  for (const { reason, begin, end, life } of troubles) {
    const before = versions();
    await begin();
    await lab.apply(mesh(life));
    await eventually(async () => {
      const found = await authority();
      assert.equal(found?.state, "down", JSON.stringify(found));
      assert.match(found?.reason ?? "", reason);
    });
    const asked = vault.requests;
    await sleep(3_000);
    assert.ok(vault.requests - asked <= MOST_REQUESTS, `${vault.requests - asked} requests in 3 s: ${reason}`);
    assert.deepEqual(versions(), before, "a proxy lost its certificate");
    await end();
    await eventually(async () => {
      for (const version of versions()) assert.ok(!before.includes(version), "a certificate is still the old one");
      assert.equal((await authority())?.state, "ready");
    }, 20_000);
  }
  const tally = await traffic.stop();
  assert.deepEqual(tally.failures, []);
  assert.ok(tally.total >= 400, `${tally.total} requests`);
});
