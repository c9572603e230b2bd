import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { test } from "node:test";
import { signedIdentityRequest } from "./aws-identity.ts";

const SECRET = "example-secret-key";

/** AWS' own description of Signature Version 4, step by step, without the library that signs. */
function signatureOf(headers: Readonly<Record<string, string>>, body: string, region: string): string {
  const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
  const signed = /SignedHeaders=([^,]+)/.exec(headers["authorization"] ?? "")?.[1] ?? "";
  const lines = signed.split(";").map((name) => `${name}:${headers[name]}\n`);
  const request = ["POST", "/", "", lines.join(""), signed, hash(body)].join("\n");
  const at = headers["x-amz-date"] ?? "";
  const scope = `${at.slice(0, 8)}/${region}/sts/aws4_request`;
  const key = scope.split("/").reduce<string | Buffer>(hmac, `AWS4${SECRET}`);
  return hmac(key, ["AWS4-HMAC-SHA256", at, scope, hash(request)].join("\n")).toString("hex");
}

test("signedIdentityRequest() signs a GetCallerIdentity, with Vault's own header in the signature", async (t) => {
  const env = { AWS_ACCESS_KEY_ID: "EXAMPLEKEYID", AWS_SECRET_ACCESS_KEY: SECRET, AWS_REGION: "eu-central-1" };
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, env);
  t.after(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  const now = new Date("2026-01-02T03:04:05Z");
  const sent = await signedIdentityRequest({ serverId: "vault.example", now });
  const text = (base64: string): string => Buffer.from(base64, "base64").toString();
  assert.equal(text(sent.iam_request_url), "https://sts.eu-central-1.amazonaws.com/");
  assert.equal(text(sent.iam_request_body), "Action=GetCallerIdentity&Version=2011-06-15");
  const headers = JSON.parse(text(sent.iam_request_headers)) as Record<string, string>;
  assert.equal(headers["x-vault-aws-iam-server-id"], "vault.example");
  assert.match(headers["authorization"] ?? "", /SignedHeaders=[^,]*x-vault-aws-iam-server-id/);
  const expected = signatureOf(headers, text(sent.iam_request_body), "eu-central-1");
  assert.equal(/Signature=(\w+)/.exec(headers["authorization"] ?? "")?.[1], expected);
});
