import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";

const BODY = "Action=GetCallerIdentity&Version=2011-06-15";

/** The fields of a login by AWS IAM: a request to AWS STS that only this machine could sign, which Vault then sends. */
export interface SignedIdentityRequest {
  readonly iam_http_request_method: "POST";
  /** Base64, as the other two. */
  readonly iam_request_url: string;
  readonly iam_request_body: string;
  readonly iam_request_headers: string;
}

/** Signs with the credentials that AWS' tools would use here: environment, files, web identity, instance. */
export async function signedIdentityRequest({
  serverId,
  now = new Date(),
}: {
  readonly serverId: string | undefined;
  readonly now?: Date;
}): Promise<SignedIdentityRequest> {
  // Loaded here, so that nobody else pays for it.
  const { defaultProvider } = await import("@aws-sdk/credential-provider-node");
  const region = process.env["AWS_REGION"] ?? process.env["AWS_DEFAULT_REGION"];
  const hostname = region === undefined ? "sts.amazonaws.com" : `sts.${region}.amazonaws.com`;
  const signer = new SignatureV4({
    credentials: defaultProvider(),
    region: region ?? "us-east-1",
    service: "sts",
    sha256: Sha256,
  });
  const signed = await signer.sign(
    {
      method: "POST",
      protocol: "https:",
      hostname,
      path: "/",
      headers: {
        host: hostname,
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
        ...(serverId === undefined ? {} : { "x-vault-aws-iam-server-id": serverId }),
      },
      body: BODY,
    },
    { signingDate: now },
  );
  return {
    iam_http_request_method: "POST",
    iam_request_url: base64(`https://${hostname}/`),
    iam_request_body: base64(BODY),
    iam_request_headers: base64(JSON.stringify(signed.headers)),
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
