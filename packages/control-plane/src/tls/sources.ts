import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import type { CertificateAndKey } from "@heddle/identity/certificate.ts";
import type { Ca } from "@heddle/identity/ca.ts";
import { issueCertificate } from "@heddle/identity/leaf.ts";
import { pemCertificates } from "@heddle/identity/pem-certificates.ts";
import { pairProblem } from "./check-pair.ts";
import type { LiveSource } from "./live.ts";

/** A certificate, its key, and what its clients have to trust. */
export interface ServerPair extends CertificateAndKey {
  readonly trustPem: string;
}

/** Files of a pair, with the setting that names the certificate's. */
export interface PairFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly setting: string;
}

/** A pair that an operator keeps in files. */
export function pairFromFiles({ certFile, keyFile, setting }: PairFiles): LiveSource<ServerPair> {
  return {
    what: `the certificate of ${setting}`,
    files: [certFile, keyFile],
    read: async (now) => {
      const certificatePem = await readText(certFile, setting);
      const keyPem = await readText(keyFile, setting.replace("Cert", "Key"));
      const problem = pairProblem({ certificatePem, keyPem }, now);
      if (problem !== undefined) throw new Error(`Cannot use "${certFile}" with "${keyFile}": ${problem}`);
      return { certificatePem, keyPem, trustPem: certificatePem };
    },
  };
}

const DAY_SECONDS = 24 * 3_600;
/** As long as browsers and other clients bear with a server's certificate, rounded down. */
const VALIDITY_SECONDS = 365 * DAY_SECONDS;

/** A pair that the control plane makes: another one when two thirds of its life are over, of the same authority. */
export function pairFromAuthority(ca: Ca, hosts: readonly string[]): LiveSource<ServerPair> {
  const trustPem = ca.trustAnchorPem;
  return {
    what: "the certificate that Heddle makes for its ports",
    files: [],
    read: async (now, current) => {
      if (current !== undefined && !isDue(current, now)) return current;
      const { certificatePem, keyPem } = await issueCertificate(ca, {
        uris: [],
        dnsNames: hosts.filter((host) => isIP(host) === 0),
        ips: hosts.filter((host) => isIP(host) !== 0),
        // Not the authority's name: who is named as one's own issuer is taken for self-signed.
        commonName: "heddle-server",
        usages: ["server"],
        validitySeconds: VALIDITY_SECONDS,
        now,
      });
      return { certificatePem, keyPem, trustPem };
    },
  };
}

function isDue({ certificatePem }: CertificateAndKey, now: Date): boolean {
  const { validFrom, validTo } = new X509Certificate(certificatePem);
  const [from, to] = [new Date(validFrom).getTime(), new Date(validTo).getTime()];
  return now.getTime() >= from + ((to - from) * 2) / 3;
}

/** Authorities of client certificates, kept in a file. */
export function authoritiesFromFile(file: string, setting: string): LiveSource<{ readonly pem: string }> {
  return {
    what: `the authority of ${setting}`,
    files: [file],
    read: async () => {
      const pem = await readText(file, setting);
      try {
        if (pemCertificates(pem).map((each) => new X509Certificate(each)).length > 0) return { pem };
      } catch {
        // Said below: without a certificate it is of no use either.
      }
      throw new Error(`Cannot use "${file}": it holds no certificate in PEM; correct ${setting}`);
    },
  };
}

async function readText(file: string, setting: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const state =
      (cause as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : (cause as Error).message;
    throw new Error(`Cannot read "${file}": ${state}; correct ${setting}`, { cause });
  }
}
