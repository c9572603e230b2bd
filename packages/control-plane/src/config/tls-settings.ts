import { choice, type Setting, text, texts } from "./setting.ts";

/** Versions in Kuma's words. Older ones are broken (RFC 8996) and are not to be had. */
const VERSIONS = ["TLSv1_2", "TLSv1_3"] as const;
export type TlsVersionName = (typeof VERSIONS)[number];

/** What a port that speaks TLS can be told beside its certificate. Empty: as `general` says. */
interface PortTlsSettings {
  readonly certFile: Setting<string>;
  readonly keyFile: Setting<string>;
  readonly minVersion: Setting<TlsVersionName | "">;
  readonly maxVersion: Setting<TlsVersionName | "">;
  readonly ciphers: Setting<readonly string[]>;
}

const general = versions("general", "GENERAL", { of: "all ports", minVersion: "TLSv1_2" });
const api = portTls("apiServer.https", "API_SERVER_HTTPS", { of: "the REST API over HTTPS", minVersion: "" });
// Proxies agree on 1.3. Those that were started by another control plane's bootstrap may know no more than 1.2 (Envoy's
// own limit for clients), and would be locked out until they are started again.
const dataplanes = portTls("dpServer", "DP_SERVER", { of: "the data plane server", minVersion: "" });
const monitoring = portTls("monitoringAssignmentServer", "MONITORING_ASSIGNMENT_SERVER", {
  of: "the port for Prometheus",
  minVersion: "",
});
const diagnostics = portTls("diagnostics", "DIAGNOSTICS", { of: "health, readiness and metrics", minVersion: "" });

/** Certificates, versions and cipher suites of every port; paths and variables are Kuma's. */
export const TLS_SETTINGS = {
  tlsCertFile: text({
    path: "general.tlsCertFile",
    flag: "--tls-cert-file",
    variables: ["GENERAL_TLS_CERT_FILE"],
    description: "Certificate of all servers, PEM, read again when it changes; made by Heddle when empty",
    default: "",
  }),
  tlsKeyFile: text({
    path: "general.tlsKeyFile",
    flag: "--tls-key-file",
    variables: ["GENERAL_TLS_KEY_FILE"],
    description: "Key of that certificate, PEM",
    default: "",
  }),
  tlsMinVersion: general.minVersion,
  tlsMaxVersion: general.maxVersion,
  tlsCiphers: general.ciphers,
  apiTlsCertFile: api.certFile,
  apiTlsKeyFile: api.keyFile,
  apiTlsMinVersion: api.minVersion,
  apiTlsMaxVersion: api.maxVersion,
  apiTlsCiphers: api.ciphers,
  dpTlsCertFile: dataplanes.certFile,
  dpTlsKeyFile: dataplanes.keyFile,
  dpTlsMinVersion: dataplanes.minVersion,
  dpTlsMaxVersion: dataplanes.maxVersion,
  dpTlsCiphers: dataplanes.ciphers,
  madsTlsCertFile: monitoring.certFile,
  madsTlsKeyFile: monitoring.keyFile,
  madsTlsMinVersion: monitoring.minVersion,
  madsTlsMaxVersion: monitoring.maxVersion,
  madsTlsCiphers: monitoring.ciphers,
  diagnosticsTlsCertFile: diagnostics.certFile,
  diagnosticsTlsKeyFile: diagnostics.keyFile,
  diagnosticsTlsMinVersion: diagnostics.minVersion,
  diagnosticsTlsMaxVersion: diagnostics.maxVersion,
  diagnosticsTlsCiphers: diagnostics.ciphers,
} as const;

interface Port {
  readonly of: string;
  readonly minVersion: TlsVersionName | "";
}

function portTls(path: string, variable: string, port: Port): PortTlsSettings {
  return {
    certFile: text({
      path: `${path}.tlsCertFile`,
      variables: [`${variable}_TLS_CERT_FILE`],
      description: `Certificate of ${port.of}, PEM; general.tlsCertFile when empty`,
      default: "",
    }),
    keyFile: text({
      path: `${path}.tlsKeyFile`,
      variables: [`${variable}_TLS_KEY_FILE`],
      description: "Key of that certificate, PEM",
      default: "",
    }),
    ...versions(path, variable, port),
  };
}

function versions(
  path: string,
  variable: string,
  { of, minVersion }: Port,
): Pick<PortTlsSettings, "minVersion" | "maxVersion" | "ciphers"> {
  return {
    minVersion: choice(["", ...VERSIONS], {
      path: `${path}.tlsMinVersion`,
      variables: [`${variable}_TLS_MIN_VERSION`],
      description: `Oldest TLS of ${of}: TLSv1_2 or TLSv1_3`,
      default: minVersion,
    }),
    maxVersion: choice(["", ...VERSIONS], {
      path: `${path}.tlsMaxVersion`,
      variables: [`${variable}_TLS_MAX_VERSION`],
      description: `Newest TLS of ${of}: TLSv1_2 or TLSv1_3`,
      default: "",
    }),
    ciphers: texts({
      path: `${path}.tlsCipherSuites`,
      variables: [`${variable}_TLS_CIPHER_SUITES`],
      description: `Cipher suites of ${of} for TLS 1.2, such as TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384`,
      default: [],
    }),
  };
}
