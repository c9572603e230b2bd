import type { TlsVersion } from "./tls-settings.ts";

/** Where a destination outside of the mesh is, and how it is spoken to. */
export interface External {
  readonly endpoints: readonly ExternalEndpoint[];
  readonly tls: OutsideTls | undefined;
  /** Why it cannot be called, such as a Secret that is not there: its cluster has no endpoints until that is repaired. */
  readonly problem?: string | undefined;
}

export interface ExternalEndpoint {
  /** A host name, an IP address, or with port 0 the path of a socket file. */
  readonly address: string;
  readonly port: number;
  /** 0 is called first; the numbers have no gaps. */
  readonly priority: number;
}

/** TLS with somebody who is not of the mesh. */
export interface OutsideTls {
  /** Absent: the host name of each endpoint. */
  readonly serverName: string | undefined;
  /** What its certificate must say, any one of these. Empty: anything. */
  readonly names: readonly CertificateName[];
  /** Who may have signed its certificate: those that the proxy's machine trusts, or the ones in a secret of this name. */
  readonly authorities: "anybody" | "system" | { readonly secret: string };
  /** Name of the secret with the certificate to show, and its key. */
  readonly clientSecret: string | undefined;
  readonly minVersion: TlsVersion | undefined;
  readonly maxVersion: TlsVersion | undefined;
  readonly allowRenegotiation: boolean;
}

export interface CertificateName {
  readonly type: "Exact" | "Prefix";
  readonly value: string;
}

/** Why a proxy has nobody to call there; undefined when it has. `systemCaPath`: the authorities that its machine trusts. */
export function whyClosed({ problem, tls }: External, systemCaPath: string | undefined): string | undefined {
  if (problem !== undefined || tls?.authorities !== "system" || systemCaPath !== undefined) return problem;
  return "the proxy did not tell where the authorities are that its machine trusts; name some in tls.verification.caCert";
}
