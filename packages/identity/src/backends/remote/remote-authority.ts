import type { CertificateRequest, IssuedCertificate } from "../../leaf.ts";

/** What an authority has issued. */
export interface RemoteIssue {
  readonly issued: IssuedCertificate;
  /** The authorities above it, the issuer first, PEM. */
  readonly chain: readonly string[];
}

/** An authority somewhere else: what differs from one product to another. All of it throws AuthorityFailure. */
export interface RemoteAuthority {
  /** How many requests may be under way at once. */
  readonly mostAtOnce: number;
  /** One certificate, which is what was asked for. */
  issue(request: CertificateRequest): Promise<RemoteIssue>;
  /** Its own certificate with those above, the issuer first, PEM: also whether it answers and knows us. */
  chain(): Promise<readonly string[]>;
  close(): void;
}
