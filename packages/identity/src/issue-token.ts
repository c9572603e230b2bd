import { randomUUID, type KeyObject } from "node:crypto";
import { SignJWT } from "jose";
import { CLAIMS_FORMATS, type ClaimsByKind, type TokenKind } from "./token-kind.ts";

/** A private signing key and the number it is known by: verifiers pick the public half by it. */
export interface SigningKey {
  readonly kid: string;
  readonly key: KeyObject;
}

/** From when on, and for how long, a token is good. */
export interface TokenLife {
  readonly validForSeconds: number;
  readonly now: Date;
}

/** Kuma lets tokens begin this much earlier, for control planes whose clocks differ a little. */
const BACKDATED_SECONDS = 5;

/** A signed token, as Kuma would write it: RS256, `kid` in the header, a random id (`jti`) to revoke it by. */
export function issueToken<Kind extends TokenKind>(
  kind: Kind,
  claims: ClaimsByKind[Kind],
  signer: SigningKey,
  { validForSeconds, now }: TokenLife,
): Promise<string> {
  const second = Math.floor(now.getTime() / 1000);
  return new SignJWT({ ...CLAIMS_FORMATS[kind].write(claims) })
    .setProtectedHeader({ alg: "RS256", kid: signer.kid, typ: "JWT" })
    .setJti(randomUUID())
    .setIssuedAt(second)
    .setNotBefore(second - BACKDATED_SECONDS)
    .setExpirationTime(second + validForSeconds)
    .sign(signer.key);
}
