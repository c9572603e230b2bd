import type { TlsVersion } from "./tls-settings.ts";

/** Where a destination outside of the mesh is, and how it is spoken to. */
export interface External {
  readonly endpoints: readonly ExternalEndpoint[];
  readonly tls: OutsideTls | undefined;
  /** It is a proxy of another mesh, which the caller shows its own identity to: without one it calls nobody. */
  readonly needsIdentity?: true;
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

/** What the proxy that calls has: the place of the authorities that its machine trusts, and an identity. */
export interface Caller {
  readonly systemCaPath: string | undefined;
  readonly hasIdentity: boolean;
}

/** Why a proxy has nobody to call there; undefined when it has. */
export function whyClosed({ problem, tls, needsIdentity }: External, caller: Caller): string | undefined {
  if (problem !== undefined) return problem;
  if (needsIdentity === true && !caller.hasIdentity)
    return "the proxy has no identity to show, as tls.meshIdentity wants; let a MeshIdentity select it";
  if (tls?.authorities !== "system" || caller.systemCaPath !== undefined) return undefined;
  return "the proxy did not tell where the authorities are that its machine trusts; name some in tls.verification.caCert";
}
