import type { User, VerifyUserToken } from "../ports.ts";
import type { Caller } from "./caller.ts";
import { isLocalhostAdmin } from "./localhost-admin.ts";
import { ADMIN, ANONYMOUS, authenticated } from "./users.ts";

/** Who calls, or why the token they show is not accepted. */
export type Identified = { readonly ok: true; readonly user: User } | { readonly ok: false; readonly reason: string };

export interface AuthenticateOptions {
  readonly localhostIsAdmin: boolean;
  readonly verifyUserToken?: VerifyUserToken | undefined;
}

/** Finds out who calls. As in Kuma, localhost comes first: a token then neither adds nor takes anything. A token counts before a certificate. */
export async function authenticate(caller: Caller, options: AuthenticateOptions): Promise<Identified> {
  if (options.localhostIsAdmin && isLocalhostAdmin(caller)) return { ok: true, user: ADMIN };
  const [scheme, token] = caller.headers["authorization"]?.[0]?.split(" ", 2) ?? [];
  if (scheme?.toLowerCase() !== "bearer") {
    return { ok: true, user: caller.certificate === undefined ? ANONYMOUS : authenticated(caller.certificate) };
  }
  if (!token) return { ok: false, reason: "the token is empty" };
  if (options.verifyUserToken === undefined) return { ok: false, reason: "this control plane accepts no user tokens" };
  const verified = await options.verifyUserToken(token);
  return "reason" in verified ? { ok: false, reason: verified.reason } : { ok: true, user: authenticated(verified) };
}
