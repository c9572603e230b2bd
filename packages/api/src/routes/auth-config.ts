import type { Context } from "../context.ts";
import { ok, type Route } from "../http/route.ts";

/** Where to log in: what a client has to know before anybody knows who calls, and no more of the settings than that. */
export function authConfigRoute({ ports }: Context): Route {
  return {
    method: "GET",
    path: "/auth/config",
    title: "Could not tell where to log in",
    needs: "open",
    doc: { summary: "Where users log in", tag: "Control plane", answer: "{oidc: {issuer, clientId, audience}}, or {}" },
    handle: () => {
      if (ports.login === undefined) return ok({});
      const { issuer, clientId, audience } = ports.login.oidc;
      return ok({ oidc: { issuer, clientId, audience } });
    },
  };
}
