import { AuthorityFailure, type FailureKind } from "../remote/authority-failure.ts";

/** Errors of AWS that say something of who asks: its common errors, and those of the chain of credentials. */
const DENIED =
  /^(AccessDenied|UnrecognizedClient|InvalidSignature|SignatureDoesNotMatch|ExpiredToken|InvalidClientTokenId|IncompleteSignature|MissingAuthenticationToken|OptInRequired|NotAuthorized|CredentialsProviderError|CredentialsError)/;
/** Those that all requests get: too many of them, or an authority that is disabled, has ended or is gone. */
const UNAVAILABLE =
  /^(Throttling|TooManyRequests|RequestLimitExceeded|LimitExceeded|InvalidState|ResourceNotFound|ServiceUnavailable|InternalFailure)/;

/** What a failed request to AWS Private CA means; `what` is what was asked, such as "to issue a certificate". */
export function acmpcaFailure(cause: unknown, what: string, late?: number): AuthorityFailure {
  if (cause instanceof AuthorityFailure) return cause;
  if (late !== undefined) return unavailable(`Cannot reach AWS Private CA ${what}: no answer within ${late} ms`, cause);
  const { name, status, message } = partsOf(cause);
  const said = `${name}: ${message.replaceAll(/\s+/g, " ").slice(0, 500)}`;
  if (DENIED.test(name)) return failure("denied", `AWS Private CA denies ${what}: ${said}`, cause);
  if (status === undefined) return unavailable(`Cannot reach AWS Private CA ${what}: ${message || name}`, cause);
  if (UNAVAILABLE.test(name) || status >= 500 || status === 429) {
    return unavailable(`AWS Private CA cannot serve ${what}: ${said}`, cause);
  }
  if (status === 401 || status === 403) return failure("denied", `AWS Private CA denies ${what}: ${said}`, cause);
  return failure("refused", `AWS Private CA refuses ${what}: ${said}`, cause);
}

/** The parts of an error of AWS' client: a status only when AWS has answered. */
function partsOf(cause: unknown): {
  readonly name: string;
  readonly status: number | undefined;
  readonly message: string;
} {
  if (!(cause instanceof Error)) return { name: "Error", status: undefined, message: String(cause) };
  if (cause instanceof AggregateError && cause.message === "") return partsOf(cause.errors[0]);
  const { $metadata } = cause as { $metadata?: { httpStatusCode?: number } };
  return { name: cause.name, status: $metadata?.httpStatusCode, message: cause.message };
}

function unavailable(message: string, cause: unknown): AuthorityFailure {
  return failure("unavailable", message, cause);
}

function failure(kind: FailureKind, message: string, cause: unknown): AuthorityFailure {
  return new AuthorityFailure(kind, message, { cause });
}
