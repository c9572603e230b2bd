import { z } from "zod";
import { type DataSource, dataSourceSchema } from "../data-source.ts";
import type { Violation } from "../violation.ts";
import { checkCommonName } from "./mesh-ca-common-name.ts";
import { checkSource } from "./mesh-ca-source.ts";

/** ARN of an authority: partition, region and account are parts of it. */
export const acmpcaArnSchema = z
  .string()
  .regex(/^arn:aws[a-z-]*:acm-pca:[a-z0-9-]+:\d{12}:certificate-authority\/[A-Za-z0-9-]+$/, {
    error:
      'must be the ARN of a private CA, such as "arn:aws:acm-pca:eu-central-1:123456789012:certificate-authority/ID"',
  });

/** How the control plane shows who it is. */
export const acmpcaAuthSchema = z.strictObject({
  awsCredentials: z
    .strictObject({
      accessKey: dataSourceSchema.describe("The access key's id"),
      accessKeySecret: dataSourceSchema.describe("Its secret"),
    })
    .optional()
    .describe("An access key (what AWS' tools would find on the control plane's machine)"),
});

/** Settings of an authority in AWS Private CA. */
export interface AcmpcaConf {
  readonly arn: string;
  readonly commonName?: string | undefined;
  readonly caCert?: DataSource | undefined;
  readonly auth?: z.infer<typeof acmpcaAuthSchema> | undefined;
}

/** What is wrong with these settings, but for what is missing; `field` is where they stand. */
export function checkAcmpca(
  { commonName, auth }: Pick<AcmpcaConf, "commonName" | "auth">,
  field: string,
): readonly Violation[] {
  const keys = auth?.awsCredentials;
  return [
    ...checkCommonName(commonName, `${field}.commonName`),
    ...checkSource(keys?.accessKey, `${field}.auth.awsCredentials.accessKey`),
    ...checkSource(keys?.accessKeySecret, `${field}.auth.awsCredentials.accessKeySecret`),
  ];
}
