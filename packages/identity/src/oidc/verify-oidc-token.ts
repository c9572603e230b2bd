import { decodeJwt, decodeProtectedHeader, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from "jose";
import { ClaimError } from "../claim-readers.ts";
import { LARGEST_TOKEN_BYTES } from "../verify-token.ts";
import { NoKeys } from "./key-set.ts";
import { type OidcMapping, type OidcUser, oidcUser } from "./oidc-user.ts";

/** Whose tokens count, and for whom they must have been made. */
export interface OidcTrust extends OidcMapping {
  readonly issuer: string;
  /** The client that users log in with: tokens that other clients got do not count. */
  readonly clientId: string;
  /** Must be among the token's audiences. */
  readonly audience: string;
}

export interface OidcContext {
  readonly trust: OidcTrust;
  readonly keys: JWTVerifyGetKey;
  readonly now: Date;
}

/** A user, or the reason why not: a sentence for them that never quotes the token. */
export type OidcVerified =
  | { readonly ok: true; readonly user: OidcUser }
  | { readonly ok: false; readonly reason: string };

const ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"];
// Logout tokens have issuer, audience and signature of an ID token, and are made to be sent around.
const TYPES: readonly unknown[] = [undefined, "jwt", "at+jwt", "application/at+jwt"];
/** Clocks of issuers and of ours differ a little. */
const CLOCK_TOLERANCE_SECONDS = 30;

/** Whether a token says that it is of this issuer. Nothing of it is verified yet. */
export function claimsIssuer(token: string, issuer: string): boolean {
  if (token.length > LARGEST_TOKEN_BYTES) return false;
  try {
    return decodeJwt(token).iss === issuer;
  } catch {
    return false;
  }
}

/** Says whose a token of the issuer is. Never throws for a bad token, or for an issuer that does not answer. */
export async function verifyOidcToken(token: string, { trust, keys, now }: OidcContext): Promise<OidcVerified> {
  try {
    if (!TYPES.includes(decodeProtectedHeader(token).typ?.toLowerCase()))
      throw new ClaimError("it was made for another purpose (typ)");
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ALGORITHMS,
      issuer: trust.issuer,
      audience: trust.audience,
      requiredClaims: ["exp", "iat"],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: now,
    });
    checkClient(payload, trust);
    return { ok: true, user: oidcUser(payload, trust) };
  } catch (error) {
    return { ok: false, reason: `the token of ${trust.issuer} is not accepted: ${reasonOf(error, trust)}` };
  }
}

/** OpenID Connect Core 1.0, section 3.1.3.7, steps 3 to 5; RFC 9068 calls the client `client_id`. */
function checkClient(payload: JWTPayload, { clientId }: OidcTrust): void {
  const named = [payload["azp"], payload["client_id"]].filter((client) => client !== undefined);
  if (named.some((client) => client !== clientId)) throw new ClaimError("another client got it (azp)");
  if (Array.isArray(payload.aud) && payload.aud.length > 1 && named.length === 0)
    throw new ClaimError("it has several audiences and does not say which client got it (azp)");
  if (payload["events"] !== undefined) throw new ClaimError("it tells of events and is nobody's login");
}

function reasonOf(error: unknown, { audience }: OidcTrust): string {
  if (error instanceof ClaimError || error instanceof NoKeys) return error.message;
  if (error instanceof errors.JWTExpired) return "it has expired; log in again: heddle auth login";
  if (error instanceof errors.JWTClaimValidationFailed) return claimReason(error.claim, audience);
  if (error instanceof errors.JOSEAlgNotAllowed)
    return `its algorithm is not allowed, only ${ALGORITHMS.join(", ")} are`;
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return "its signing key (kid) is none of the issuer's";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "its signature does not fit the issuer's key";
  if (error instanceof errors.JOSEError || error instanceof TypeError)
    return "it is malformed, or its key is of no use";
  throw error;
}

function claimReason(claim: string, audience: string): string {
  if (claim === "aud") return `it is for another audience than "${audience}"`;
  if (claim === "nbf") return "it is not valid yet; compare the clocks of the two machines";
  return `its claim "${claim}" is missing or wrong`;
}
