/**
 * Why Vault did not do what it was asked:
 * - unavailable: nobody could be served now (no connection, no answer in time, sealed, an internal error)
 * - denied: the token is not good (any more), or may not do this
 * - refused: this request is not acceptable, others may be
 */
export type FailureKind = "unavailable" | "denied" | "refused";

/** A request to Vault that failed. The message never holds a token. */
export class VaultFailure extends Error {
  override readonly name = "VaultFailure";
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** The failure that an answer with this status is. */
export function failureOf(status: number, errors: readonly string[], what: string): VaultFailure {
  const said = errors.length > 0 ? errors.join("; ").replaceAll(/\s+/g, " ").slice(0, 500) : `status ${status}`;
  if (status === 503 && /sealed/i.test(said)) {
    return new VaultFailure("unavailable", "Vault is sealed; unseal it");
  }
  if (status === 403 || status === 401) return new VaultFailure("denied", `Vault denies ${what}: ${said}`);
  if (status >= 500 || status === 429 || status === 412) {
    return new VaultFailure("unavailable", `Vault cannot serve ${what}: ${said}`);
  }
  return new VaultFailure("refused", `Vault refuses ${what}: ${said}`);
}
