import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { BackendUnavailable, type CaBackend } from "@heddle/identity/backends/backend.ts";
import { openRemote } from "@heddle/identity/backends/remote/remote-backend.ts";
import { readVaultSettings, type VaultLogin, type VaultSettings } from "@heddle/identity/backends/vault/settings.ts";
import { vaultAuthority } from "@heddle/identity/backends/vault/vault-authority.ts";
import { eventually } from "../support/eventually.ts";
import { type OpenBao, startOpenBao } from "../support/openbao.ts";

const WEB = {
  uris: ["spiffe://default/web", "kuma://kuma.io/service/web"],
  validitySeconds: 3_600,
  usages: ["server", "client"],
  now: new Date(),
} as const;

/** A backend over this server, and the states it went through. */
async function open(
  t: TestContext,
  bao: Pick<OpenBao, "address">,
  login: VaultLogin,
  more: Partial<VaultSettings> = {},
): Promise<{ backend: CaBackend; states: string[] }> {
  const conf = { address: bao.address, pki: "pki-default", role: "dataplanes" };
  const at = { read: async () => "", field: "conf.fromCp" };
  const settings = await readVaultSettings(conf, { issueTimeout: 2_000, chainTimeout: 2_000 }, at);
  const states: string[] = [];
  const events = { now: () => new Date(), onChange: () => void states.push(backend.state.state), chance: () => 0 };
  const backend = openRemote(vaultAuthority({ ...settings, login, ...more }), events);
  t.after(() => backend.close());
  return { backend, states };
}

function token(text: string): VaultLogin {
  return { by: "token", token: text };
}

async function ready({ backend }: { backend: CaBackend }): Promise<void> {
  await eventually(() => assert.equal(backend.state.state, "ready", JSON.stringify(backend.state)));
}

function reasonOf(backend: CaBackend): string {
  return backend.state.state === "down" ? backend.state.reason : backend.state.state;
}

test("a Vault backend against a real OpenBao", async (t) => {
  const bao = await startOpenBao(t);

  await t.test("issues with the SPIFFE IDs, a common name, a key that fits, and a chain to the root", async (s) => {
    const commonName = '{{ tag "kuma.io/service" | replace "w" "W" }}.mesh';
    const vault = await open(s, bao, token(await bao.token({ ttl: "1h" })), { commonName });
    await ready(vault);
    const issued = await vault.backend.issue(WEB);
    const leaf = new X509Certificate(issued.certificatePem);
    assert.equal(leaf.subjectAltName, "URI:spiffe://default/web, URI:kuma://kuma.io/service/web");
    assert.equal(leaf.subject, "CN=Web.mesh");
    assert.match(issued.keyPem, /BEGIN PRIVATE KEY/);
    const [root = ""] = vault.backend.roots;
    assert.ok(leaf.verify(new X509Certificate(root).publicKey));
    const life = (issued.notAfter.getTime() - Date.now()) / 1_000;
    assert.ok(life > 3_500 && life <= 3_600, `${life} seconds`);
  });

  await t.test("an intermediate signs, and its root is what is trusted", async (s) => {
    await bao.call("POST", "sys/mounts/pki-leaf", { type: "pki" });
    const made = await bao.call("POST", "pki-leaf/intermediate/generate/internal", {
      common_name: "leaf",
      key_type: "ec",
    });
    const signed = await bao.call("POST", "pki-default/root/sign-intermediate", {
      csr: made.data?.["csr"],
      ttl: "600h",
    });
    const certificate = `${String(signed.data?.["certificate"])}\n${String(signed.data?.["issuing_ca"])}`;
    await bao.call("POST", "pki-leaf/intermediate/set-signed", { certificate });
    const role = { allowed_uri_sans: "*", require_cn: false, key_type: "ec", key_bits: 256, max_ttl: "100h" };
    await bao.call("POST", "pki-leaf/roles/dataplanes", role);
    const vault = await open(s, bao, token(bao.rootToken), { pki: "pki-leaf" });
    await ready(vault);
    const { certificatePem } = await vault.backend.issue(WEB);
    const chain = certificatePem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];
    assert.equal(chain.length, 2, "the leaf and the intermediate");
    const [root = ""] = vault.backend.roots;
    assert.equal(vault.backend.roots.length, 1);
    assert.ok(new X509Certificate(chain[1] ?? "").verify(new X509Certificate(root).publicKey));
  });

  await t.test("a new root is told of before anything that it signed is given out", async (s) => {
    const vault = await open(s, bao, token(bao.rootToken));
    await ready(vault);
    const [before] = vault.backend.roots;
    const root = await bao.newRoot();
    await assert.rejects(vault.backend.issue(WEB), BackendUnavailable);
    assert.deepEqual(
      vault.backend.roots.map((pem) => pem.trim()),
      [root.trim()],
    );
    assert.notEqual(vault.backend.roots[0], before);
    const { certificatePem } = await vault.backend.issue(WEB);
    assert.ok(new X509Certificate(certificatePem).verify(new X509Certificate(root).publicKey));
  });

  await t.test("what the role does not allow is refused with Vault's reason, for that request alone", async (s) => {
    const vault = await open(s, bao, token(bao.rootToken));
    await ready(vault);
    await assert.rejects(vault.backend.issue({ ...WEB, uris: ["spiffe://other/web"] }), /refuses to issue.*URI/i);
    await vault.backend.issue(WEB);
  });

  await t.test(
    "a token that ended: down with the reason, nothing but the probe; another backend has a new one",
    async (s) => {
      const vault = await open(s, bao, token(await bao.token({ ttl: "2s", renewable: false })));
      await ready(vault);
      await eventually(async () => {
        await assert.rejects(vault.backend.issue(WEB), (error) => error instanceof BackendUnavailable);
      });
      assert.match(reasonOf(vault.backend), /denies/);
      const fresh = await open(s, bao, token(await bao.token({ ttl: "1h" })));
      await ready(fresh);
      await fresh.backend.issue(WEB);
    },
  );

  await t.test("a renewable token is renewed at half of its life", async (s) => {
    const text = await bao.token({ ttl: "2s" });
    const vault = await open(s, bao, token(text));
    await ready(vault);
    const end = Date.now() + 4_000;
    await eventually(() => assert.ok(Date.now() > end, "not twice its life yet"));
    assert.equal(vault.backend.state.state, "ready");
    await vault.backend.issue(WEB);
  });

  await t.test("a pod logs in with its service account's token, and again when Vault forgot it", async (s) => {
    const reviews: string[] = [];
    const kubernetes = createServer((request, response) => {
      void readAll(request).then((body) => {
        reviews.push(body);
        const user = { username: "system:serviceaccount:mesh:control-plane", uid: "1" };
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ status: { authenticated: true, user } }));
      });
    });
    await new Promise<void>((resolve) => kubernetes.listen(0, "127.0.0.1", resolve));
    s.after(() => kubernetes.close());
    const { port } = kubernetes.address() as { port: number };
    await bao.call("POST", "sys/auth/kubernetes", { type: "kubernetes" });
    await bao.call("POST", "auth/kubernetes/config", {
      kubernetes_host: `http://127.0.0.1:${port}`,
      token_reviewer_jwt: JWT,
      disable_local_ca_jwt: true,
      // It wants one, though this cluster speaks plain text.
      kubernetes_ca_cert: await (await fetch(`${bao.address}/v1/pki-default/ca/pem`)).text(),
    });
    const names = { bound_service_account_names: "control-plane", bound_service_account_namespaces: "mesh" };
    await bao.call("POST", "auth/kubernetes/role/mesh", { ...names, token_policies: "mesh", token_ttl: "1h" });
    const folder = await mkdtemp(join(tmpdir(), "heddle-test-"));
    s.after(() => rm(folder, { recursive: true }));
    const tokenPath = join(folder, "token");
    await writeFile(tokenPath, `${JWT}\n`);
    const vault = await open(s, bao, { by: "kubernetes", role: "mesh", path: "kubernetes", tokenPath });
    await ready(vault);
    await vault.backend.issue(WEB);
    const logins = reviews.length;
    assert.ok(logins >= 1);
    await bao.call("POST", "sys/leases/revoke-prefix/auth/kubernetes");
    await vault.backend.issue(WEB);
    assert.equal(reviews.length, logins + 1, "one more login, although the first token was revoked");
  });
});

// Not signed by anybody: only whom it speaks of is read before the cluster is asked.
const JWT = [
  { alg: "RS256", typ: "JWT" },
  {
    iss: "kubernetes/serviceaccount",
    sub: "system:serviceaccount:mesh:control-plane",
    nbf: Math.floor(Date.now() / 1_000) - 60,
    exp: Math.floor(Date.now() / 1_000) + 3_600,
    "kubernetes.io": { namespace: "mesh", serviceaccount: { name: "control-plane", uid: "1" } },
  },
]
  .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
  .concat(Buffer.from("signature").toString("base64url"))
  .join(".");

async function readAll(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += String(chunk);
  return body;
}

test("a sealed Vault: everything waits behind one probe, and goes on by itself when it is unsealed", async (t) => {
  const bao = await startOpenBao(t);
  let requests = 0;
  const counting = createServer((request, response) => {
    requests += 1;
    void readAll(request).then(async (body) => {
      const answer = await fetch(`${bao.address}${request.url}`, {
        method: request.method ?? "GET",
        headers: { "x-vault-token": String(request.headers["x-vault-token"]) },
        ...(body === "" ? {} : { body }),
      });
      response.writeHead(answer.status).end(await answer.text());
    });
  });
  await new Promise<void>((resolve) => counting.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    counting.closeAllConnections();
    counting.close();
  });
  const { port } = counting.address() as { port: number };
  const vault = await open(t, { address: `http://127.0.0.1:${port}` }, token(bao.rootToken));
  await ready(vault);
  await vault.backend.issue(WEB);

  await bao.seal();
  requests = 0;
  const herd = await Promise.allSettled(Array.from({ length: 500 }, () => vault.backend.issue(WEB)));
  assert.ok(herd.every(({ status }) => status === "rejected"));
  assert.match(reasonOf(vault.backend), /Vault is sealed; unseal it/);
  const since = Date.now();
  await eventually(() => assert.ok(Date.now() - since > 1_500, "waiting for probes"));
  // Eight at once before it was known, then probes after 0.25, 0.5 and 1 s.
  assert.ok(requests <= 8 + 4, `${requests} requests of 500 proxies`);

  await bao.unseal();
  await ready(vault);
  await vault.backend.issue(WEB);
  assert.equal(vault.states.at(-1), "ready");
});
