import type { KeyObject } from "node:crypto";
import { compactVerify, decodeProtectedHeader, errors } from "jose";
import { ClaimError, type Payload } from "./claim-readers.ts";
import { CLAIMS_FORMATS, type ClaimsByKind, type TokenKind } from "./token-kind.ts";

/** A token that was accepted, or the reason why not: a sentence for the user that never quotes the token. */
export type Verified<Claims> =
  | {
      readonly ok: true;
      readonly claims: Claims;
      /** Its `jti`: when this is revoked, or `expiresAt` comes, whoever was let in by it has to go. */
      readonly id: string;
      readonly expiresAt: Date;
      /** The `kid` and the key that vouch for it: when either is gone, so is the token. */
      readonly signedBy: NamedKey;
    }
  | { readonly ok: false; readonly reason: string };

export interface VerificationContext {
  /** Public keys by `kid`. Keep the map and its keys between calls: what jose makes of a key is cached with the key. */
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** Ids (`jti`) of revoked tokens. */
  readonly revoked: ReadonlySet<string>;
  readonly now: Date;
}

/** Nothing honest comes near: a dataplane token with a dozen tags has 1 KiB. */
export const LARGEST_TOKEN_BYTES = 16 * 1024;

/** Says whether a token is good, and what it says. Never throws for a bad token. */
export async function verifyToken<Kind extends TokenKind>(
  kind: Kind,
  token: string,
  context: VerificationContext,
): Promise<Verified<ClaimsByKind[Kind]>> {
  try {
    const key = keyFor(token, context.keys);
    const payload = await verifiedPayload(token, key);
    const { id, expiresAt } = validNow(payload, context);
    return { ok: true, claims: CLAIMS_FORMATS[kind].read(payload), id, expiresAt, signedBy: key };
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof ClaimError)) throw error;
    return { ok: false, reason: `the ${kind} token is not accepted: ${error.message}` };
  }
}

/** A reason to refuse the token. */
class Refusal extends Error {
  override readonly name = "Refusal";
}

/** A public key and the name that tokens have for it. */
export interface NamedKey {
  readonly kid: string;
  readonly key: KeyObject;
}

function keyFor(token: string, keys: ReadonlyMap<string, KeyObject>): NamedKey {
  if (token.length > LARGEST_TOKEN_BYTES) {
    throw new Refusal(`it is larger than ${LARGEST_TOKEN_BYTES} bytes; pass the token alone`);
  }
  const { alg, kid } = headerOf(token);
  if (alg !== "RS256") throw new Refusal(`its algorithm ${quoted(alg)} is not allowed, only RS256 is; ${ISSUE_ANEW}`);
  if (typeof kid !== "string") throw new Refusal(`it does not name its signing key ("kid"); ${ISSUE_ANEW}`);
  const key = keys.get(kid);
  if (key !== undefined) return { kid, key };
  throw new Refusal(`its signing key ${quoted(kid)} is unknown here (rotated away, or another mesh's); ${ISSUE_ANEW}`);
}

function headerOf(token: string): { readonly alg?: unknown; readonly kid?: unknown } {
  // jose reads every spelling of base64url; here exactly one is right, so that no two texts are the same token.
  const parts = token.split(".");
  if (parts.length !== 3 || !parts.every(isCanonical)) throw new Refusal(MALFORMED);
  try {
    return decodeProtectedHeader(token);
  } catch {
    throw new Refusal(MALFORMED);
  }
}

async function verifiedPayload(token: string, { kid, key }: NamedKey): Promise<Payload> {
  try {
    return payloadOf((await compactVerify(token, key, { algorithms: ["RS256"] })).payload);
  } catch (error) {
    // Anything else is a fault of ours, such as a key of the wrong kind.
    if (!(error instanceof errors.JOSEError)) throw error;
    if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw new Refusal(MALFORMED);
    throw new Refusal(
      `its signature does not fit signing key ${quoted(kid)} (changed on the way, another kind of token, or another ` +
        `control plane's); ${ISSUE_ANEW}`,
    );
  }
}

function payloadOf(bytes: Uint8Array): Payload {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isPayload(parsed)) return parsed;
  } catch {
    // Not JSON: malformed, as is JSON that is no object.
  }
  throw new Refusal(MALFORMED);
}

function validNow(
  payload: Payload,
  { revoked, now }: VerificationContext,
): { readonly id: string; readonly expiresAt: Date } {
  const expiresAt = timeOf(payload, "exp");
  const begins = timeOf(payload, "nbf");
  const id = payload["jti"];
  if (expiresAt === undefined) throw new Refusal(`it has no expiry ("exp"); ${ISSUE_ANEW}`);
  if (expiresAt <= now) throw new Refusal(`it expired at ${expiresAt.toISOString()}; ${ISSUE_ANEW}`);
  if (begins !== undefined && begins > now) {
    throw new Refusal(`it is not valid before ${begins.toISOString()}; compare the clocks of the two machines`);
  }
  if (typeof id !== "string" || id === "") {
    throw new Refusal(`it has no id ("jti"), so it could never be revoked; ${ISSUE_ANEW}`);
  }
  if (revoked.has(id)) throw new Refusal(`it was revoked (id ${quoted(id)}); ${ISSUE_ANEW}`);
  return { id, expiresAt };
}

const ISSUE_ANEW = "issue a new one";
const MALFORMED = "it is malformed; pass the whole token as it was issued, without quotes or line breaks";

function timeOf(payload: Payload, claim: "exp" | "nbf"): Date | undefined {
  const seconds = payload[claim];
  if (seconds === undefined || seconds === null) return undefined;
  const time = new Date(typeof seconds === "number" ? seconds * 1000 : Number.NaN);
  if (Number.isNaN(time.getTime())) throw new Refusal(`its claim "${claim}" must be a time in seconds; ${ISSUE_ANEW}`);
  return time;
}

function isCanonical(part: string): boolean {
  return part !== "" && Buffer.from(part, "base64url").toString("base64url") === part;
}

function isPayload(value: unknown): value is Payload {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a stranger wrote, short and without control characters. */
function quoted(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : "that it names";
}
