import assert from "node:assert/strict";
import { request } from "node:https";
import { test } from "node:test";
import { createCa } from "@heddle/identity/ca.ts";
import { issueCertificate } from "@heddle/identity/leaf.ts";
import { loadCa } from "@heddle/identity/load-ca.ts";
import { stringify } from "yaml";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { startLab } from "../support/lab.ts";

const OWN = "default.default.mesh.local";

async function authority(domain: string) {
  const now = new Date();
  const made = await createCa({
    keyType: "ecdsa-p256",
    validitySeconds: 3_600,
    now,
    commonName: domain,
    uri: `spiffe://${domain}`,
  });
  const ca = loadCa(made, now);
  assert.ok(ca.ok);
  const issue = (...uris: readonly string[]) =>
    issueCertificate(ca.value, { uris, validitySeconds: 600, usages: ["server", "client"], now: new Date() });
  return { pem: made.certificatePem, issue };
}

/** What a caller with a certificate gets: the status and body, or the reason why there is no connection. */
async function call(port: number, { certificatePem, keyPem }: { certificatePem: string; keyPem: string }) {
  const { promise, resolve } = Promise.withResolvers<string>();
  const asked = request(
    { port, host: "127.0.0.1", cert: certificatePem, key: keyPem, rejectUnauthorized: false, agent: false },
    (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => resolve(`${response.statusCode} ${body}`));
    },
  );
  asked.on("error", () => resolve("refused"));
  asked.end();
  return await promise;
}

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
  await lab.apply(`
type: MeshIdentity
mesh: default
name: own
spec:
  selector: { dataplane: { matchLabels: {} } }
  provider: { type: Bundled, bundled: { autogenerate: { enabled: true }, insecureAllowSelfSigned: true } }
`);
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

  assert.equal(await call(inboundPort, web), "refused", "nobody trusts the partner yet");
  await lab.apply(allow("partner", "spiffe://partner.example/"));
  await lab.settled();
  assert.equal(await call(inboundPort, web), "refused", "a permission is no trust");
  await lab.delete("MeshTrafficPermission", "partner");
  await lab.apply(trust("partner", "partner.example", partner.pem));
  await eventually(async () => assert.match(await call(inboundPort, web), /^403 /, "trust is no permission"));
  await lab.apply(allow("partner", "spiffe://partner.example/"));
  await eventually(async () =>
    assert.match(await call(inboundPort, web), /^200 .*URI=spiffe:\/\/partner.example\/web/),
  );

  await lab.apply(allow("own", `spiffe://${OWN}/`));
  await lab.settled();
  const posing = await partner.issue(`spiffe://${OWN}/workload/web`);
  assert.equal(await call(inboundPort, posing), "refused", "the partner's authority does not speak for this mesh");
  const both = await partner.issue("spiffe://partner.example/nobody", `spiffe://${OWN}/workload/web`);
  assert.equal(await call(inboundPort, both), "refused", "nor in a second URI");
  const other = await third.issue("spiffe://third.example/web");
  assert.equal(await call(inboundPort, other), "refused", "whom the partner trusts is not trusted here");
});
