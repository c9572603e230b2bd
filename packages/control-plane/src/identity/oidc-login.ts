import type { User, VerifyUserToken } from "@heddle/api/ports.ts";
import { whyNoIssuer } from "@heddle/identity/oidc/issuer.ts";
import { issuerKeys } from "@heddle/identity/oidc/key-set.ts";
import { claimsIssuer, type OidcTrust, verifyOidcToken } from "@heddle/identity/oidc/verify-oidc-token.ts";
import type { Config } from "../config/settings.ts";

const AUTHN = "apiServer.authn.oidc";

/** The issuer that the settings name; undefined when they name none. Throws an Error that says which one is wrong. */
export function readOidcTrust(config: Config): OidcTrust | undefined {
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcUsernameClaim: usernameClaim } = config;
  if (issuer === "") return undefined;
  const problem = whyNoIssuer(issuer);
  if (problem !== undefined) throw new Error(`Cannot use ${AUTHN}.issuer "${withoutLogin(issuer)}": ${problem}`);
  if (clientId === "") throw new Error(`Cannot use ${AUTHN}.issuer without a client: set ${AUTHN}.clientId`);
  if (usernameClaim === "") throw new Error(`Cannot use ${AUTHN}.usernameClaim: it must not be empty, such as sub`);
  return {
    issuer,
    clientId,
    audience: config.oidcAudience || clientId,
    usernameClaim,
    groupsClaim: config.oidcGroupsClaim,
    usernamePrefix: config.oidcUsernamePrefix,
    groupsPrefix: config.oidcGroupsPrefix,
  };
}

/**
 * Gives tokens that say they are the issuer's to it alone, and all others to `own`: what is refused by the one is not
 * tried with the other's keys.
 */
export function withOidc(own: VerifyUserToken, trust: OidcTrust | undefined, now: () => Date): VerifyUserToken {
  if (trust === undefined) return own;
  const keys = issuerKeys(trust.issuer, now);
  return async (token): Promise<User | { readonly reason: string }> => {
    if (!claimsIssuer(token, trust.issuer)) return await own(token);
    const verified = await verifyOidcToken(token, { trust, keys, now: now() });
    return verified.ok ? verified.user : { reason: verified.reason };
  };
}

/** Somebody may have written a password into it. */
function withoutLogin(issuer: string): string {
  return issuer.replace(/\/\/[^/]*@/, "//");
}
