import assert from "node:assert/strict";
import { test } from "node:test";
import { BUILTIN, issuedBy, mesh, renewed, secret, serials, twoServices } from "../support/authorities.ts";
import { eventually } from "../support/eventually.ts";
import { startLab } from "../support/lab.ts";
import { startAws } from "../support/moto.ts";
import { steadyTraffic } from "../support/traffic.ts";

function acmpca(arn: string, expiration: string): object {
  const awsCredentials = { accessKey: { secret: "aws-key" }, accessKeySecret: { secret: "aws-secret" } };
  return {
    name: "aws",
    type: "acmpca",
    dpCert: { rotation: { expiration } },
    conf: { arn, auth: { awsCredentials } },
  };
}

test("certificate authorities: builtin, AWS Private CA (moto), AWS away and back, builtin; no request fails", async (t) => {
  const aws = await startAws(t);
  const arn = await aws.authority();
  const lab = await startLab(t);
  const { url, served } = await twoServices(t, lab);
  await lab.apply([secret("aws-key", "EXAMPLEKEYID"), secret("aws-secret", "secret")].join("---\n"));
  const traffic = steadyTraffic(t, url, 100);

  let before = serials(lab);
  await lab.apply(mesh("aws", BUILTIN, acmpca(arn, "24h")));
  await renewed(lab, before);
  await issuedBy(lab, "aws");
  await served(50);

  before = serials(lab);
  await aws.close();
  // Another life of certificates, so that new ones are asked for now; nobody tries what cannot be reached.
  await lab.apply(mesh("aws", BUILTIN, acmpca(arn, "12h")).replace("mtls:", "mtls:\n  skipValidation: true"));
  await eventually(() =>
    assert.match(lab.log.join("\n"), /"aws" of mesh "default" cannot sign.*Cannot reach AWS Private CA/),
  );
  const insight = (await lab.get("/mesh-insights/default")) as {
    mTLS: { backends: Record<string, { state: string; reason?: string }> };
  };
  assert.equal(insight.mTLS.backends["aws"]?.state, "down");
  assert.match(insight.mTLS.backends["aws"]?.reason ?? "", /ECONNREFUSED/);
  await served(50);
  await aws.reopen();
  await renewed(lab, before);
  await served(50);
  await eventually(() => assert.match(lab.log.join("\n"), /"aws" of mesh "default" signs again/));

  before = serials(lab);
  await lab.apply(mesh("ca-1", BUILTIN, acmpca(arn, "12h")));
  await renewed(lab, before);
  await issuedBy(lab, "ca-1");
  await served(50);

  const tally = await traffic.stop();
  assert.deepEqual(tally.failures, []);
  assert.ok(tally.total >= 200, `${tally.total} requests`);
  assert.doesNotMatch(lab.log.join("\n"), /EXAMPLEKEYID/);
});
