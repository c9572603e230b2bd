/** How the control plane reaches Vault, with a real OpenBao: over TLS, in a namespace, through an agent, with a token in a file. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { AuthoritiesReport } from "@heddle/api/reports.ts";
import { OperatorAuthority } from "@heddle/control-plane/tls/testkit/pairs.ts";
import { eventually } from "../support/eventually.ts";
import { type Lab, startLab } from "../support/lab.ts";
import { startOpenBao } from "../support/openbao.ts";
import { startOpenBaoAgent } from "../support/openbao-agent.ts";

type Authority = AuthoritiesReport["items"][number];

/** The mesh with Vault as its authority; a write of it is answered after Vault has issued a certificate, or did not. */
function byVault(fromCp: object): { type: "Mesh"; name: string; mtls: object } {
  const conf = { fromCp: { pki: "pki-default", role: "dataplanes", ...fromCp } };
  const backend = { name: "vault-1", type: "vault", conf };
  return { type: "Mesh", name: "default", mtls: { enabledBackend: "vault-1", backends: [backend] } };
}

async function accepted(lab: Lab, fromCp: object): Promise<void> {
  const response = await lab.put(byVault(fromCp));
  assert.ok(response.ok, await response.text());
  await eventually(async () => assert.equal((await authority(lab))?.state, "ready"));
}

async function refused(lab: Lab, fromCp: object): Promise<string> {
  const response = await lab.put(byVault(fromCp));
  assert.equal(response.status, 400);
  return await response.text();
}

async function authority(lab: Lab): Promise<Authority | undefined> {
  return ((await lab.get("/meshes/default/_authorities")) as AuthoritiesReport).items[0];
}

/** What the port for metrics says of Vault: its state, and when its root ends. */
async function metrics(lab: Lab): Promise<{ readonly state: string | undefined; readonly rootEnds: number }> {
  const text = await (await fetch(`http://127.0.0.1:${lab.controlPlane.diagnosticsPort}/metrics`)).text();
  const of = 'mesh="default",backend="vault-1"';
  const state = new RegExp(`^ca_backend_state\\{${of},type="vault",state="(\\w+)"\\} 1$`, "m").exec(text)?.[1];
  const end = new RegExp(`^ca_expiration_timestamp_seconds\\{${of},certificate="root"\\} (\\S+)$`, "m").exec(text)?.[1];
  return { state, rootEnds: Number(end) };
}

const inline = (inlineString: string): object => ({ inlineString });

test("Vault over TLS: its own authority, a wrong one, a client certificate; a namespace; an agent; a token in a file", async (t) => {
  const [operator, stranger] = [await OperatorAuthority.create(), await OperatorAuthority.create("stranger")];
  const bao = await startOpenBao(t, await operator.pair());
  const lab = await startLab(t);
  const address = bao.tlsAddress;
  const tls = { caCert: inline(operator.pem) };
  const auth = { token: inline(await bao.token({ ttl: "1h" })) };

  await t.test("the authority of Vault's own certificate is trusted, and no other", async () => {
    await accepted(lab, { address, tls, auth });
    const wrong = await refused(lab, { address, tls: { caCert: inline(stranger.pem) }, auth });
    assert.match(wrong, /not signed by the authority in tls\.caCert/);
    assert.match(await refused(lab, { address, auth }), /signed by no authority that this machine trusts/);
    const other = { ...tls, serverName: "vault.example" };
    assert.match(await refused(lab, { address, tls: other, auth }), /certificate is for another name/);
    assert.equal((await authority(lab))?.state, "ready", "what was refused changed nothing");
  });

  await t.test("a client certificate logs in, and one of a stranger does not", async () => {
    await bao.call("POST", "sys/auth/cert", { type: "cert" });
    await bao.call("POST", "auth/cert/certs/heddle", { certificate: operator.pem, token_policies: "mesh" });
    const by = async (who: OperatorAuthority): Promise<object> => {
      const { cert, key } = await who.pair({ client: "control-plane" });
      return { address, tls, auth: { tls: { clientCert: inline(cert), clientKey: inline(key) } } };
    };
    await accepted(lab, await by(operator));
    assert.match(await refused(lab, await by(stranger)), /Vault .*to log in by tls/);
  });

  await t.test("in a namespace: its own engine and its own tokens", async () => {
    await bao.namespace("team");
    const inside = { token: inline(await bao.token({ ttl: "1h", namespace: "team" })) };
    await accepted(lab, { address, tls, namespace: "team", auth: inside });
    const before = (await authority(lab))?.roots[0]?.fingerprint;
    assert.match(await refused(lab, { address, tls, namespace: "team", auth }), /Vault denies/);
    await accepted(lab, { address, tls, auth });
    assert.notEqual((await authority(lab))?.roots[0]?.fingerprint, before, "another engine has another root");
  });

  await t.test("an agent adds its own token", async (s) => {
    const agentAddress = await startOpenBaoAgent(s, { address: bao.address, token: await bao.token({ ttl: "1h" }) });
    // Nobody answers at the server's own address: the agent alone is asked.
    await accepted(lab, { address: "http://127.0.0.1:1", agentAddress });
  });

  await t.test("a token in a file: revoked, and replaced by another one", async () => {
    const file = join(lab.folder, "vault-token");
    const token = await bao.token({ ttl: "3s" });
    await writeFile(file, `${token}\n`);
    await accepted(lab, { address, tls, auth: { token: { file } } });
    await bao.call("POST", "auth/token/revoke", { token });
    await eventually(async () => {
      const found = await authority(lab);
      assert.equal(found?.state, "down");
      assert.match(found?.reason ?? "", /Vault denies/);
    });
    assert.equal((await metrics(lab)).state, "down");
    await writeFile(file, await bao.token({ ttl: "1h" }));
    await eventually(async () => assert.equal((await authority(lab))?.state, "ready"));
    const { state, rootEnds } = await metrics(lab);
    assert.equal(state, "ready");
    assert.equal(rootEnds, Date.parse((await authority(lab))?.roots[0]?.expiresAt ?? "") / 1_000);
    await accepted(lab, { address, tls, auth: { token: { file } }, commonName: "a.mesh" });
  });
});
