import { ClaimError, type Payload } from "../claim-readers.ts";

/** How the claims of an issuer's tokens become a user of ours. */
export interface OidcMapping {
  readonly usernameClaim: string;
  /** "": users of this issuer are in no groups. */
  readonly groupsClaim: string;
  readonly usernamePrefix: string;
  readonly groupsPrefix: string;
}

export interface OidcUser {
  readonly name: string;
  readonly groups: readonly string[];
}

/** Names that mean something to the control plane itself. */
const RESERVED = "mesh-system:";
const LONGEST_NAME = 256;

/** The user that the claims name. Throws ClaimError when they name nobody, or somebody an issuer has no say about. */
export function oidcUser(payload: Payload, mapping: OidcMapping): OidcUser {
  const { usernameClaim, groupsClaim, usernamePrefix, groupsPrefix } = mapping;
  // Anybody can register an address that is not theirs with an issuer that does not check.
  if (usernameClaim === "email" && payload["email_verified"] !== true)
    throw new ClaimError('its e-mail address is not verified ("email_verified")');
  const name = ownName(usernamePrefix, payload[usernameClaim], usernameClaim);
  const groups = groupsClaim === "" ? [] : [payload[groupsClaim] ?? []].flat();
  return { name, groups: [...new Set(groups.map((group) => ownName(groupsPrefix, group, groupsClaim)))] };
}

function ownName(prefix: string, value: unknown, claim: string): string {
  if (typeof value !== "string" || value.length > LONGEST_NAME || !/^[^\p{C}\p{Zl}\p{Zp}]+$/u.test(value)) {
    throw new ClaimError(`its claim ${JSON.stringify(claim)} must hold 1 to ${LONGEST_NAME} printable characters`);
  }
  const name = prefix + value;
  // After the prefix, and without regard to case and blanks: nothing that comes from outside may even look like it.
  if (name.normalize("NFKC").trim().toLowerCase().startsWith(RESERVED))
    throw new ClaimError(`its claim ${JSON.stringify(claim)} begins with "${RESERVED}", which no issuer may give`);
  return name;
}
