import type { TokenKind } from "./token-kind.ts";

/** Where the signing keys of a kind of token are kept: in a Secret of the mesh, or in a GlobalSecret. */
export interface TokenSecretScope {
  readonly kind: TokenKind;
  /** Only dataplane tokens belong to a mesh; ignored for the others. */
  readonly mesh: string;
}

/** The name of the Secret (dataplane tokens) or GlobalSecret with the signing key of this number; Kuma's names. */
export function signingKeyName(scope: TokenSecretScope, serial: number): string {
  return `${prefixOf(scope, "signing-key")}-${serial}`;
}

/** The GlobalSecret with the public half of a zone token's signing key: the only half that a zone gets. */
export function zonePublicKeyName(serial: number): string {
  return `zone-token-signing-public-key-${serial}`;
}

/** The number of the signing key in a secret of this name, or undefined when it holds something else. */
export function signingKeySerial(scope: TokenSecretScope, name: string): number | undefined {
  const prefix = `${prefixOf(scope, "signing-key")}-`;
  const digits = name.startsWith(prefix) ? name.slice(prefix.length) : "";
  return /^(0|[1-9]\d{0,8})$/.test(digits) ? Number(digits) : undefined;
}

/** The name of the Secret or GlobalSecret that lists revoked tokens. */
export function revocationsName(scope: TokenSecretScope): string {
  return prefixOf(scope, "revocations");
}

/** The ids (`jti`) in a list of revocations: separated by commas, and forgiving about spaces and line breaks. */
export function parseRevocations(text: string): ReadonlySet<string> {
  return new Set(text.split(/[\s,]+/).filter((id) => id !== ""));
}

function prefixOf({ kind, mesh }: TokenSecretScope, purpose: string): string {
  return kind === "dataplane" ? `dataplane-token-${purpose}-${mesh}` : `${kind}-token-${purpose}`;
}
