import type { Payload } from "./claim-readers.ts";
import { dataplanePayload, readDataplaneClaims, type DataplaneClaims } from "./dataplane-token.ts";
import { readUserClaims, userPayload, type UserClaims } from "./user-token.ts";
import { readZoneClaims, zonePayload, type ZoneClaims } from "./zone-token.ts";

/** What each kind of token says. */
export interface ClaimsByKind {
  readonly dataplane: DataplaneClaims;
  readonly user: UserClaims;
  readonly zone: ZoneClaims;
}

export type TokenKind = keyof ClaimsByKind;

/** How the claims of one kind are written into a token and read from it; `read` throws ClaimError. */
export interface ClaimsFormat<Claims> {
  readonly write: (claims: Claims) => Payload;
  readonly read: (payload: Payload) => Claims;
}

export const CLAIMS_FORMATS: { readonly [Kind in TokenKind]: ClaimsFormat<ClaimsByKind[Kind]> } = {
  dataplane: { write: dataplanePayload, read: readDataplaneClaims },
  user: { write: userPayload, read: readUserClaims },
  zone: { write: zonePayload, read: readZoneClaims },
};
