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

/** Envoy's rules for verdicts, and those by which it counts and logs what shadow denials would deny. */
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
  const allowed = policiesFor(verdicts, ({ does }) => does !== "deny", isDenial);
  const rules: Rbac = { action: RBAC_Action.ALLOW, policies: allowed };
  if (!verdicts.some(isShadow)) return { rules };
  // They deny, so that Envoy tells by which rule: it names the policy that matched, and counts for each.
  const shadowed = policiesFor(verdicts, isShadow, (verdict) => !isShadow(verdict));
  return { rules, shadowRules: { action: RBAC_Action.DENY, policies: shadowed } };
}

function isDenial({ does }: Verdict): boolean {
  return does === "deny";
}

function isShadow({ does }: Verdict): boolean {
  return does === "shadow-deny";
}

/** A policy for the callers of each verdict that is meant, without those for whom a stronger one takes its place. */
function policiesFor(
  verdicts: readonly Verdict[],
  isMeant: (verdict: Verdict) => boolean,
  takesItsPlace: (verdict: Verdict) => boolean,
): Record<string, Policy> {
  const policies: Record<string, Policy> = {};
  for (const [index, verdict] of verdicts.entries()) {
    if (!isMeant(verdict)) continue;
    const stronger = verdicts.slice(index + 1).filter(takesItsPlace);
    for (const serverName of serverNamesToTellApart(verdict, stronger)) {
      const others = stronger.filter(({ callers }) => callers.sni === undefined || callers.sni === serverName.is);
      if (others.some(({ callers }) => callers.uris.length === 0)) continue;
      const name = nameOf(verdict, serverName);
      const policy = (policies[name] ??= { permissions: [permissionFor(serverName)], principals: [] });
      policy.principals.push(principalFor(verdict, others));
    }
  }
  return policies;
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
  const names = [...new Set(stronger.flatMap((other) => other.callers.sni ?? []))].toSorted();
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

function principalFor({ callers }: Verdict, others: readonly Verdict[]): Principal {
  const excluded = others.map((other): Principal => ({
    identifier: { case: "notId", value: allOf(other.callers.uris.map(authenticated)) },
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
