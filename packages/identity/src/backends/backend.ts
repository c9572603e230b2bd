import type { CertificateRequest, IssuedCertificate } from "../leaf.ts";

/** How a certificate authority is. */
export type BackendState =
  | { readonly state: "starting" }
  | { readonly state: "ready" }
  /** It cannot sign now; it looks by itself for the moment when it can again. */
  | { readonly state: "down"; readonly reason: string; readonly since: Date };

/** A certificate authority of a mesh: whoever signs, this is all that the rest knows of it. */
export interface CaBackend {
  readonly state: BackendState;
  /** What proxies must trust, one PEM certificate each; empty while that is not known. */
  readonly roots: readonly string[];
  /** The certificate whose key signs now, PEM; absent while, or where, that is not told. */
  readonly issuer?: string | undefined;
  /** A certificate with its chain. Throws BackendUnavailable while it is down, Error when it refuses the request. */
  issue(request: CertificateRequest): Promise<IssuedCertificate>;
  /** Ends what it does by itself; waiting requests fail. */
  close(): void;
}

/** What a backend tells of itself. */
export interface BackendEvents {
  readonly now: () => Date;
  /** Its state or its roots changed, or it is worth asking again for what it refused. */
  readonly onChange: () => void;
}

/** It cannot sign now, whatever is asked; `onChange` tells when it can again. */
export class BackendUnavailable extends Error {
  override readonly name = "BackendUnavailable";
}
