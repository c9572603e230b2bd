import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import { findKeysUrl, readJson } from "./issuer.ts";

const SECOND = 1_000;
/** Keys older than this are read anew when somebody shows a token. */
export const REFRESH_MILLIS = 300 * SECOND;
/** Keys that could not be read anew count for this long. */
export const LIFE_MILLIS = 3_600 * SECOND;
/** Whatever tokens are shown, the issuer is asked once in this time. */
export const COOL_DOWN_MILLIS = 10 * SECOND;

/** There are no keys to verify with; the message says why. */
export class NoKeys extends Error {
  override readonly name = "NoKeys";
}

interface KnownKeys {
  readonly find: JWTVerifyGetKey;
  readonly readAt: number;
}

/**
 * The keys of an issuer, read when they are needed. An unknown `kid` makes us look again, for keys that were rotated, but
 * never more often than the cool-down allows: tokens of strangers cannot make us flood the issuer.
 */
export function issuerKeys(issuer: string, now: () => Date): JWTVerifyGetKey {
  let known: KnownKeys | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;
  let pending: Promise<void> | undefined;
  let problem = "";

  const read = async (): Promise<void> => {
    try {
      const find = createLocalJWKSet((await readJson(await findKeysUrl(issuer))) as unknown as JSONWebKeySet);
      known = { find, readAt: now().getTime() };
    } catch (cause) {
      problem = describe(cause);
    }
  };
  const refresh = async (): Promise<void> => {
    if (pending === undefined) {
      if (now().getTime() - triedAt < COOL_DOWN_MILLIS) return;
      triedAt = now().getTime();
      pending = read().finally(() => (pending = undefined));
    }
    await pending;
  };
  const current = (): KnownKeys => {
    if (known !== undefined && now().getTime() - known.readAt < LIFE_MILLIS) return known;
    throw new NoKeys(`the keys of ${issuer} cannot be read: ${problem}`);
  };

  return async (header, token) => {
    if (known === undefined || now().getTime() - known.readAt >= REFRESH_MILLIS) await refresh();
    const before = current();
    try {
      return await before.find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await refresh();
      if (known === before) throw error;
      return await current().find(header, token);
    }
  };
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // fetch() says "fetch failed" and keeps the reason to itself.
  return cause.cause instanceof Error ? cause.cause.message || cause.message : cause.message;
}
