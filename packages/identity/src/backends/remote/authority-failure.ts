/**
 * Why an authority did not do what it was asked:
 * - unavailable: nobody could be served now (no connection, no answer in time, an internal error, too many requests)
 * - denied: our credentials are not good (any more), or may not do this
 * - refused: this request is not acceptable, others may be
 */
export type FailureKind = "unavailable" | "denied" | "refused";

/** A request to an authority that failed. The message never holds a credential. */
export class AuthorityFailure extends Error {
  override readonly name = "AuthorityFailure";
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
