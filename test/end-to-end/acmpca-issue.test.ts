import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { type TestContext, test } from "node:test";
import { acmpcaAuthority } from "@heddle/identity/backends/acmpca/acmpca-authority.ts";
import { type AcmpcaSettings, readAcmpcaSettings } from "@heddle/identity/backends/acmpca/settings.ts";
import { BackendUnavailable, type CaBackend } from "@heddle/identity/backends/backend.ts";
import { openRemote } from "@heddle/identity/backends/remote/remote-backend.ts";
import { eventually } from "../support/eventually.ts";
import { type Aws, startAws } from "../support/moto.ts";

const WEB = {
  uris: ["spiffe://default/web", "kuma://kuma.io/service/web"],
  validitySeconds: 3_600,
  usages: ["server", "client"],
  now: new Date(),
} as const;

/** A backend over this authority, and the states it went through. */
async function open(
  t: TestContext,
  arn: string,
  more: Partial<AcmpcaSettings> = {},
): Promise<{ backend: CaBackend; states: string[] }> {
  const awsCredentials = { accessKey: { inlineString: "EXAMPLEKEYID" }, accessKeySecret: { inlineString: "secret" } };
  const at = { read: async ({ inlineString = "" }) => inlineString, field: "conf" };
  const settings = await readAcmpcaSettings(
    { arn, auth: { awsCredentials } },
    { issueTimeout: 4_000, chainTimeout: 4_000 },
    at,
  );
  const states: string[] = [];
  const events = { now: () => new Date(), onChange: () => void states.push(backend.state.state), chance: () => 0 };
  const backend = openRemote(acmpcaAuthority({ ...settings, ...more }), events);
  t.after(() => backend.close());
  return { backend, states };
}

async function ready({ backend }: { backend: CaBackend }): Promise<void> {
  await eventually(() => assert.equal(backend.state.state, "ready", JSON.stringify(backend.state)));
}

function reasonOf(backend: CaBackend): string {
  return backend.state.state === "down" ? backend.state.reason : backend.state.state;
}

function times(aws: Aws, operation: string): number {
  return aws.asked.get(operation) ?? 0;
}

test("an acmpca backend against moto, an emulation of AWS Private CA", async (t) => {
  const aws = await startAws(t);
  const arn = await aws.authority();
  const reset = (): void => {
    aws.fault = () => undefined;
    aws.asked.clear();
  };

  await t.test(
    "issues for a key of its own: SPIFFE IDs, a common name, both usages, the authority's root",
    async (s) => {
      const pca = await open(s, arn, { commonName: '{{ tag "kuma.io/service" }}.mesh' });
      await ready(pca);
      const { certificatePem, keyPem } = await pca.backend.issue(WEB);
      const leaf = new X509Certificate(certificatePem);
      assert.equal(leaf.subjectAltName, "URI:spiffe://default/web, URI:kuma://kuma.io/service/web");
      assert.equal(leaf.subject, "CN=web.mesh");
      assert.ok(leaf.checkPrivateKey(createPrivateKey(keyPem)));
      const [root = ""] = pca.backend.roots;
      assert.ok(leaf.verify(new X509Certificate(root).publicKey));
      assert.equal(certificatePem.match(/BEGIN CERTIFICATE/g)?.length, 1, "the root is not sent along");
    },
  );

  await t.test("waits until AWS has issued, which it does not at once", async (s) => {
    reset();
    aws.fault = (operation) =>
      operation === "GetCertificate" && times(aws, operation) <= 3 ? { type: "RequestInProgressException" } : undefined;
    const pca = await open(s, arn);
    await ready(pca);
    await pca.backend.issue(WEB);
    assert.equal(times(aws, "IssueCertificate"), 1);
    assert.equal(times(aws, "GetCertificate"), 4);
  });

  await t.test("many at once, while AWS takes two requests in three: all are issued, slowly", async (s) => {
    reset();
    const pca = await open(s, arn, { issueTimeout: 10_000 });
    await ready(pca);
    aws.fault = (operation) =>
      operation === "IssueCertificate" && times(aws, operation) % 3 === 0
        ? { type: "ThrottlingException", message: "Rate exceeded" }
        : undefined;
    const issued = await Promise.all(Array.from({ length: 12 }, () => pca.backend.issue(WEB)));
    assert.equal(new Set(issued.map(({ serial }) => serial)).size, 12);
    assert.ok(times(aws, "IssueCertificate") <= 24, `${times(aws, "IssueCertificate")} requests for 12 certificates`);
    assert.equal(pca.backend.state.state, "ready");
  });

  await t.test("throttled for good: down with AWS' words, one request at a time, and up again by itself", async (s) => {
    reset();
    const pca = await open(s, arn);
    await ready(pca);
    aws.fault = (operation) =>
      operation === "IssueCertificate" ? { type: "ThrottlingException", message: "Rate exceeded" } : undefined;
    const before = times(aws, "IssueCertificate");
    const waiting = Array.from({ length: 50 }, () =>
      pca.backend.issue(WEB).then(
        () => assert.fail("issued"),
        (error: unknown) => assert.ok(error instanceof BackendUnavailable, String(error)),
      ),
    );
    await Promise.all(waiting);
    assert.match(reasonOf(pca.backend), /ThrottlingException: Rate exceeded/);
    const sent = times(aws, "IssueCertificate") - before;
    assert.equal(sent, 4, "the first one and three repetitions; nothing for the 49 that wait");
    reset();
    await ready(pca);
    await pca.backend.issue(WEB);
  });

  await t.test("what AWS refuses concerns that request alone; what it denies stops the backend", async (s) => {
    reset();
    const pca = await open(s, arn);
    await ready(pca);
    aws.fault = (operation) =>
      operation === "IssueCertificate" ? { type: "MalformedCSRException", message: "no good" } : undefined;
    await assert.rejects(pca.backend.issue(WEB), /refuses to issue a certificate: MalformedCSRException: no good/);
    assert.equal(pca.backend.state.state, "ready");
    aws.fault = () => ({
      type: "AccessDeniedException",
      message: "not authorized to perform acm-pca:IssueCertificate",
    });
    await assert.rejects(pca.backend.issue(WEB), BackendUnavailable);
    assert.match(reasonOf(pca.backend), /denies to issue.*acm-pca:IssueCertificate/);
    assert.doesNotMatch(reasonOf(pca.backend), /EXAMPLEKEYID|secret/);
  });

  await t.test("an authority that is not there is told with AWS' words", async (s) => {
    reset();
    const pca = await open(s, `${arn.slice(0, -4)}0000`);
    await eventually(() => assert.match(reasonOf(pca.backend), /ResourceNotFoundException/));
  });

  await t.test("AWS that is away: down with the reason, then ready by itself", async (s) => {
    reset();
    const pca = await open(s, arn);
    await ready(pca);
    await aws.close();
    await assert.rejects(pca.backend.issue(WEB), BackendUnavailable);
    assert.match(reasonOf(pca.backend), /Cannot reach AWS Private CA to issue a certificate: .*ECONNREFUSED/);
    await aws.reopen();
    await ready(pca);
    await pca.backend.issue(WEB);
  });
});
