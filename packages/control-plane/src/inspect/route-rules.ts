import type { OutboundUnit } from "@heddle/engine/compile.ts";
import { outboundConf } from "@heddle/engine/match/match.ts";
import type { Matched, Selected } from "@heddle/engine/match/match.ts";
import type { Origin, RoutePlan } from "@heddle/engine/plan/plan.ts";
import type { Conf, Policy } from "@heddle/engine/policy.ts";
import { LABEL } from "@heddle/model/labels.ts";
import { ruleKri } from "./meta.ts";

/** One rule of a routing policy as it came out of merging. */
export interface RouteRule {
  readonly kri: string;
  readonly matches: readonly unknown[];
  readonly conf: unknown;
}

/** What policies with routes make of their confs: rules with the policies that they are merged from. */
interface MergedRule {
  readonly matches: readonly unknown[];
  readonly default: unknown;
  readonly origins?: readonly Origin[];
  readonly index?: number;
}

/** The rules in the conf of a policy that brings routes; none in any other. */
export function routeRules(policy: Policy, { value }: Conf): readonly RouteRule[] {
  if (policy.routes === undefined) return [];
  const { rules = [] } = value as { readonly rules?: readonly MergedRule[] };
  return rules.map(({ matches, default: conf, origins = [], index }) => {
    const origin = origins.at(-1);
    return { kri: origin === undefined ? "" : ruleKri({ ...origin, rule: index ?? origin.rule }), matches, conf };
  });
}

/** A conf as users would write it: what merging noted beside the rules is left out. */
export function confAsWritten(policy: Policy, conf: Conf): unknown {
  if (policy.routes === undefined) return conf.value;
  return { rules: routeRules(policy, conf).map(({ matches, conf: value }) => ({ matches, default: value })) };
}

/** The route of an outbound that a KRI names: of a rule, or of the policy that it comes from. */
export function routeOf({ plan }: OutboundUnit, kri: string): RoutePlan | undefined {
  const exact = plan.routes.find((route) => route.name === kri);
  return exact ?? plan.routes.find((route) => route.origins.some((origin) => origin.kri === kri));
}

/** What each kind of policy says about the requests of one route: about the destination, and about the route itself. */
export function routeConfs(
  matched: Matched,
  { plan }: OutboundUnit,
  route: RoutePlan,
): readonly { readonly policy: Policy; readonly conf: Conf }[] {
  const from = route.origins.at(-1);
  const target = from && { name: from.name, labels: { [LABEL.displayName]: from.name } };
  return matched.flatMap((selected: Selected) => {
    if (selected.policy.routes !== undefined) return [];
    const conf = outboundConf(selected, plan.destination, target);
    return conf === undefined ? [] : [{ policy: selected.policy, conf }];
  });
}
