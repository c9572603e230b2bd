import type { SecureVersion } from "node:tls";
import { hostViolations } from "@heddle/identity/server-certificate.ts";
import type { Config } from "../config/settings.ts";
import type { TlsVersionName } from "../config/tls-settings.ts";
import { cipherList } from "./cipher-suites.ts";
import { ownHosts } from "./own-authority.ts";
import type { PairFiles } from "./sources.ts";

/** What a port says and accepts when a connection is secured; the options of Node's TLS servers. */
export interface SecureOptions {
  readonly cert: string;
  readonly key: string;
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
  readonly ciphers: string;
  readonly ecdhCurve: string;
  /** Authorities of client certificates. */
  readonly ca?: string;
}

/** The ports that can speak TLS with a certificate of the operator. */
export const PORTS = ["api", "dataplanes", "monitoring", "diagnostics"] as const;
export type TlsPort = (typeof PORTS)[number];

/** The hybrid of ML-KEM-768 and X25519 first: what is recorded today stays closed to the quantum computers of tomorrow. */
const KEY_EXCHANGES = "X25519MLKEM768:X25519:P-256:P-384";
const VERSIONS = { TLSv1_2: "TLSv1.2", TLSv1_3: "TLSv1.3" } as const satisfies Record<TlsVersionName, SecureVersion>;

/** Versions, suites and key exchanges of a port. Throws when they contradict each other. */
export function parametersOf(config: Config, port: TlsPort): Omit<SecureOptions, "cert" | "key" | "ca"> {
  const { path, minVersion, maxVersion, ciphers } = settingsOf(config, port);
  const newest = maxVersion || config.tlsMaxVersion || "TLSv1_3";
  const oldest = minVersion || config.tlsMinVersion || "TLSv1_2";
  if (oldest > newest)
    throw new Error(`Cannot serve TLS: ${path}.tlsMinVersion is ${oldest}, newer than tlsMaxVersion, ${newest}`);
  const own = ciphers.length > 0;
  return {
    minVersion: VERSIONS[oldest],
    maxVersion: VERSIONS[newest],
    ciphers: cipherList(own ? ciphers : config.tlsCiphers, `${own ? path : "general"}.tlsCipherSuites`),
    ecdhCurve: KEY_EXCHANGES,
  };
}

interface PortSettings {
  readonly path: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly minVersion: TlsVersionName | "";
  readonly maxVersion: TlsVersionName | "";
  readonly ciphers: readonly string[];
}

function settingsOf(config: Config, port: TlsPort): PortSettings {
  switch (port) {
    case "api":
      return {
        path: "apiServer.https",
        certFile: config.apiTlsCertFile,
        keyFile: config.apiTlsKeyFile,
        minVersion: config.apiTlsMinVersion,
        maxVersion: config.apiTlsMaxVersion,
        ciphers: config.apiTlsCiphers,
      };
    case "dataplanes":
      return {
        path: "dpServer",
        certFile: config.dpTlsCertFile,
        keyFile: config.dpTlsKeyFile,
        minVersion: config.dpTlsMinVersion,
        maxVersion: config.dpTlsMaxVersion,
        ciphers: config.dpTlsCiphers,
      };
    case "monitoring":
      return {
        path: "monitoringAssignmentServer",
        certFile: config.madsTlsCertFile,
        keyFile: config.madsTlsKeyFile,
        minVersion: config.madsTlsMinVersion,
        maxVersion: config.madsTlsMaxVersion,
        ciphers: config.madsTlsCiphers,
      };
    case "diagnostics":
      return {
        path: "diagnostics",
        certFile: config.diagnosticsTlsCertFile,
        keyFile: config.diagnosticsTlsKeyFile,
        minVersion: config.diagnosticsTlsMinVersion,
        maxVersion: config.diagnosticsTlsMaxVersion,
        ciphers: config.diagnosticsTlsCiphers,
      };
  }
}

/** Whether a port is served over TLS at all. */
export function isOpen(config: Config, port: TlsPort): boolean {
  switch (port) {
    case "api":
      return config.apiHttpsEnabled;
    case "dataplanes":
      return true;
    case "monitoring":
      return config.madsEnabled && config.madsTlsEnabled;
    case "diagnostics":
      return config.diagnosticsTlsEnabled;
  }
}

/** The files of a port, its own or those of all; undefined when there are none. Throws when only one of two is given. */
export function filesOf(config: Config, port: TlsPort): PairFiles | undefined {
  const { path, certFile, keyFile } = settingsOf(config, port);
  const own = { certFile, keyFile, setting: `${path}.tlsCertFile` };
  const general = { certFile: config.tlsCertFile, keyFile: config.tlsKeyFile, setting: "general.tlsCertFile" };
  const files = [own, general].find((each) => each.certFile !== "" || each.keyFile !== "");
  if (files === undefined || (files.certFile !== "" && files.keyFile !== "")) return files;
  const missing = files.certFile === "" ? files.setting : files.setting.replace("Cert", "Key");
  throw new Error(`Cannot secure the ports: a certificate needs its key and the other way round; set ${missing} too`);
}

/** The names and addresses that the certificate which Heddle makes is for. Throws when one of them is none. */
export function hostsOf({ hosts }: Config): readonly string[] {
  const violations = hosts.flatMap(hostViolations);
  if (violations.length === 0) return [...new Set([...hosts, ...ownHosts()])];
  const reasons = violations.map(({ field, message }) => `${field} ${message}`).join("; ");
  throw new Error(`Cannot make a certificate for the ports: ${reasons}; correct --hosts`);
}
