import type { AcmpcaConf } from "@heddle/model/kinds/mesh-ca-acmpca.ts";
import type { ReadSource, Timeouts } from "../remote/sources.ts";

/** What is needed to talk to AWS Private CA. Equal settings mean the same backend. */
export interface AcmpcaSettings extends Timeouts {
  readonly arn: string;
  /** Both are parts of the ARN. */
  readonly partition: string;
  readonly region: string;
  readonly commonName: string | undefined;
  /** Whose certificates AWS may show, PEM; those that the system trusts when absent. */
  readonly ca: string | undefined;
  /** Absent: those that AWS' own tools would find on this machine. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

/** The settings with everything read that they name; `field` is where they stand, for messages. */
export async function readAcmpcaSettings(
  { arn, commonName, caCert, auth }: AcmpcaConf,
  timeouts: Timeouts,
  { read, field }: { readonly read: ReadSource; readonly field: string },
): Promise<AcmpcaSettings> {
  const [, partition = "", , region = ""] = arn.split(":");
  const keys = auth?.awsCredentials;
  const at = `${field}.auth.awsCredentials`;
  const credentials = keys && {
    accessKeyId: (await read(keys.accessKey, `${at}.accessKey`)).trim(),
    secretAccessKey: (await read(keys.accessKeySecret, `${at}.accessKeySecret`)).trim(),
  };
  const ca = caCert && (await read(caCert, `${field}.caCert`));
  return { arn, partition, region, commonName, ca, credentials, ...timeouts };
}
