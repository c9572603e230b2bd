import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CertificateAndKey } from "@heddle/identity/certificate.ts";
import type { Config } from "./config/settings.ts";
import { serverCertificate } from "./defaults.ts";
import type { Secrets } from "./secrets.ts";

/** The certificate of all ports: the operator's, or one that is made once and kept in the store. */
export async function serverTls(config: Config, secrets: Secrets, now: Date): Promise<CertificateAndKey> {
  const { tlsCertFile, tlsKeyFile, hosts } = config;
  if (tlsCertFile === "" && tlsKeyFile === "") return await serverCertificate(secrets, hosts, now);
  const certificatePem = await readPem(tlsCertFile, "--tls-cert-file");
  return { certificatePem, keyPem: await readPem(tlsKeyFile, "--tls-key-file") };
}

/** Writes what proxies and clients have to trust beside the store, for --ca-cert-file. */
export async function writeTrustAnchor({ storeType, dataFolder }: Config, pem: string): Promise<void> {
  if (storeType === "memory") return;
  await writeFile(join(dataFolder, "ca.pem"), pem, { mode: 0o644 });
}

async function readPem(file: string, flag: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const fix = `correct ${flag}, or leave both flags out to have a certificate made`;
    throw new Error(`Cannot read "${file}": ${(cause as Error).message}; ${fix}`, { cause });
  }
}

/** What clients of the REST API over HTTPS may show as their certificate; nothing unless an authority is set. */
export async function clientCertificates(
  config: Config,
): Promise<{ readonly ca?: string; readonly requireClientCert?: boolean }> {
  const { apiHttpsCaFile: file, apiHttpsRequireClientCert: requireClientCert } = config;
  if (file !== "") {
    const ca = await readFile(file, "utf8").catch((cause: unknown) => {
      throw new Error(`Cannot read "${file}": ${(cause as Error).message}; correct --api-https-ca-file`, { cause });
    });
    return { ca, requireClientCert };
  }
  if (!requireClientCert) return {};
  throw new Error("Cannot ask for client certificates: no authority is set; name one with --api-https-ca-file");
}
