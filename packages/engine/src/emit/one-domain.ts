import { any } from "@heddle/envoy/any.ts";
import { type PrincipalSchema, RBAC_Action } from "@heddle/envoy/gen/envoy/config/rbac/v3/rbac_pb.js";
import type { FilterSchema } from "@heddle/envoy/gen/envoy/config/listener/v3/listener_components_pb.js";
import { RBACSchema } from "@heddle/envoy/gen/envoy/extensions/filters/network/rbac/v3/rbac_pb.js";
import type { ProxyTls } from "../plan/plan.ts";
import type { Init } from "./common.ts";

type Principal = Init<typeof PrincipalSchema>;

/**
 * Refuses callers whose certificate names two trust domains. Envoy's validator looks at the first URI only and everything
 * after it at any, so the authority of one domain could speak for another in a second URI.
 */
export function oneDomain({ trustPrefixes }: ProxyTls): readonly Init<typeof FilterSchema>[] {
  if (trustPrefixes.length < 2) return [];
  const pairs = trustPrefixes
    .slice(0, -1)
    .map((prefix, index) => allOf([isOf(prefix), anyOf(trustPrefixes.slice(index + 1).map(isOf))]));
  const deny = { permissions: [{ rule: { case: "any" as const, value: true } }], principals: pairs };
  const config = any(RBACSchema, {
    statPrefix: "one_trust_domain.",
    rules: { action: RBAC_Action.DENY, policies: { "two-trust-domains": deny } },
  });
  return [{ name: "heddle.one_trust_domain", configType: { case: "typedConfig", value: config } }];
}

function isOf(prefix: string): Principal {
  const principalName = { matchPattern: { case: "prefix" as const, value: prefix } };
  return { identifier: { case: "authenticated", value: { principalName } } };
}

function allOf(ids: Principal[]): Principal {
  return { identifier: { case: "andIds", value: { ids } } };
}

function anyOf(ids: Principal[]): Principal {
  return { identifier: { case: "orIds", value: { ids } } };
}
