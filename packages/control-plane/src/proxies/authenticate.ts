import { checkDataplaneClaims } from "@heddle/identity/dataplane-token.ts";
import { type DataplaneSpec, tagSets } from "@heddle/model/kinds/dataplane.ts";
import type { NewResource } from "@heddle/model/resource.ts";
import type { Credential, TokenService } from "../identity/token-service.ts";

/** Who a proxy turned out to be, or why it is refused: a sentence that never quotes the token. */
export type Authenticated =
  | { readonly ok: true; readonly credential: Credential | undefined }
  | { readonly ok: false; readonly reason: string };

export interface AuthenticationOptions {
  readonly tokens: TokenService;
  readonly method: "dpToken" | "none";
  /** Whether the proxy's SPIFFE ID is made from its workload label: then its token has to say which one it may have. */
  readonly identityUsesWorkload: boolean;
}

/** Checks the token of a proxy against the Dataplane it claims to be. */
export async function authenticateProxy(
  proxy: NewResource<DataplaneSpec>,
  token: string | undefined,
  { tokens, method, identityUsesWorkload }: AuthenticationOptions,
): Promise<Authenticated> {
  if (method === "none") return { ok: true, credential: undefined };
  if (token === undefined || token === "") {
    const fix = `heddle generate dataplane-token --mesh=${proxy.mesh} --name=${proxy.name} --valid-for=720h`;
    return {
      ok: false,
      reason: `the proxy brought no dataplane token; make one with "${fix}" and pass --dataplane-token-file`,
    };
  }
  const verified = await tokens.verify("dataplane", proxy.mesh, token);
  if (!verified.ok) return verified;
  const reason = checkDataplaneClaims(verified.claims, {
    mesh: proxy.mesh,
    name: proxy.name,
    type: "dataplane",
    tagSets: tagSets(proxy.spec),
    labels: proxy.labels,
    identityUsesWorkload,
  });
  if (reason !== undefined) return { ok: false, reason };
  const { id, signedBy, expiresAt } = verified;
  return { ok: true, credential: { id, signedBy, expiresAt } };
}
