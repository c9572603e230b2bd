import type { Init } from "@heddle/engine/emit/common.ts";
import {
  type PermissionSchema,
  type PolicySchema,
  type PrincipalSchema,
  RBAC_Action,
  type RBACSchema,
} from "@heddle/envoy/gen/envoy/config/rbac/v3/rbac_pb.js";
import type { CertificateUri, Verdict } from "./verdicts.ts";

type Rbac = Init<typeof RBACSchema>;
type Policy = { permissions: Permission[]; principals: Principal[] } & Init<typeof PolicySchema>;
type Permission = Init<typeof PermissionSchema>;
type Principal = Init<typeof PrincipalSchema>;

/** Envoy's rules for verdicts, and what it is to report if every shadow denial were one. */
export interface Rules {
  readonly rules: Rbac;
  readonly shadowRules?: Rbac;
}

/** Rules that let nobody pass. */
export const NOBODY: Rbac = { action: RBAC_Action.ALLOW, policies: {} };

/**
 * Translates verdicts, which come from the weakest to the strongest. Each that allows becomes a policy of Envoy's rules,
 * named after the resource and the rule it comes from: its callers, without those whom a stronger verdict denies.
 */
export function rulesFor(verdicts: readonly Verdict[]): Rules {
  const rules = allowing(verdicts, ({ does }) => does === "deny");
  if (verdicts.every(({ does }) => does !== "shadow-deny")) return { rules };
  return { rules, shadowRules: allowing(verdicts, ({ does }) => does !== "allow") };
}

function allowing(verdicts: readonly Verdict[], denies: (verdict: Verdict) => boolean): Rbac {
  const policies: Record<string, Policy> = {};
  for (const [index, verdict] of verdicts.entries()) {
    if (denies(verdict)) continue;
    const stronger = verdicts.slice(index + 1).filter(denies);
    for (const serverName of serverNamesToTellApart(verdict, stronger)) {
      const denied = stronger.filter(({ callers }) => callers.sni === undefined || callers.sni === serverName.is);
      if (denied.some(({ callers }) => callers.uris.length === 0)) continue;
      const name = nameOf(verdict, serverName);
      const policy = (policies[name] ??= { permissions: [permissionFor(serverName)], principals: [] });
      policy.principals.push(principalFor(verdict, denied));
    }
  }
  return { action: RBAC_Action.ALLOW, policies };
}

/** Requests for one server name, or for none of some. */
interface ServerName {
  readonly is: string | undefined;
  readonly isNot: readonly string[];
}

// In Envoy's rules the server name and the caller stand in two lists that are matched on their own, so "not (this caller
// with this name)" cannot be said. A request has one server name, though: each that matters gets a policy of its own.
function serverNamesToTellApart({ callers }: Verdict, stronger: readonly Verdict[]): readonly ServerName[] {
  if (callers.sni !== undefined) return [{ is: callers.sni, isNot: [] }];
  const names = [...new Set(stronger.flatMap((denial) => denial.callers.sni ?? []))].toSorted();
  return [...names.map((is) => ({ is, isNot: [] })), { is: undefined, isNot: names }];
}

function nameOf({ origin }: Verdict, { is }: ServerName): string {
  return `${origin.kri}rule_${origin.rule}${is === undefined ? "" : `_${is}`}`;
}

function permissionFor({ is, isNot }: ServerName): Permission {
  if (is !== undefined) return requested(is);
  if (isNot.length === 0) return { rule: { case: "any", value: true } };
  const orRules: Permission = { rule: { case: "orRules", value: { rules: isNot.map(requested) } } };
  return { rule: { case: "notRule", value: orRules } };
}

function requested(serverName: string): Permission {
  return { rule: { case: "requestedServerName", value: { matchPattern: { case: "exact", value: serverName } } } };
}

function principalFor({ callers }: Verdict, denied: readonly Verdict[]): Principal {
  const excluded = denied.map((denial): Principal => ({
    identifier: { case: "notId", value: allOf(denial.callers.uris.map(authenticated)) },
  }));
  return allOf([...callers.uris.map(authenticated), ...excluded]);
}

function allOf(ids: Principal[]): Principal {
  const [first, second] = ids;
  if (first === undefined) return { identifier: { case: "any", value: true } };
  return second === undefined ? first : { identifier: { case: "andIds", value: { ids } } };
}

// Exact or prefix, never a regular expression made from a name: a dot in it would mean any letter.
function authenticated({ type, value }: CertificateUri): Principal {
  const matchPattern = { case: type === "Exact" ? ("exact" as const) : ("prefix" as const), value };
  return { identifier: { case: "authenticated", value: { principalName: { matchPattern } } } };
}
