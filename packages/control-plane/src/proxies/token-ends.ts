import type { ConnectRequest } from "@heddle/xds/hooks.ts";
import type { Credential, Judge } from "../identity/token-service.ts";

/** A stream, and the token that opened it. */
export interface Session {
  readonly credential: Credential | undefined;
  readonly request: ConnectRequest;
  readonly mesh: string;
}

/** Ends the streams of a mesh whose token has been revoked since, or whose key is gone. */
export function endRevoked(sessions: Iterable<Session>, mesh: string, judge: Judge): void {
  for (const session of sessions) {
    const { mesh: own, credential } = session;
    const reason = own === mesh && credential !== undefined ? judge(credential) : undefined;
    if (reason !== undefined) end(session, reason);
  }
}

/**
 * Ends the streams whose token has expired: Envoy comes back with what stands in its token file by then. Tells when the
 * next one expires.
 */
export function endExpired(sessions: Iterable<Session>, now: Date): Date | undefined {
  let next: Date | undefined;
  for (const session of sessions) {
    const expiresAt = session.credential?.expiresAt;
    if (expiresAt === undefined) continue;
    if (expiresAt <= now) end(session, `expired at ${expiresAt.toISOString()}`);
    else if (next === undefined || expiresAt < next) next = expiresAt;
  }
  return next;
}

function end({ mesh, request }: Session, reason: string): void {
  const fix = `make a new one with "heddle generate dataplane-token --mesh=${mesh}"`;
  request.end("unauthenticated", `the token of this proxy ${reason}; ${fix}`);
}
