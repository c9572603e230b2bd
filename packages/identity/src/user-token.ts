import { ClaimError, readText, readTexts, type Payload } from "./claim-readers.ts";

/** Who calls the REST API. */
export interface UserClaims {
  readonly name: string;
  readonly groups: readonly string[];
}

/** The claims as Kuma writes them. */
export function userPayload(claims: UserClaims): Payload {
  return { Name: claims.name, Groups: claims.groups };
}

/** Reads Kuma's claims. Throws ClaimError. */
export function readUserClaims(payload: Payload): UserClaims {
  const name = readText(payload, "Name");
  if (name === "") throw new ClaimError('its claim "Name" is missing, so it is not a user token');
  return { name, groups: readTexts(payload, "Groups") };
}
