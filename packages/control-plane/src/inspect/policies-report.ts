import type { InboundPoliciesReport, PoliciesReport, RoutesReport } from "@heddle/api/reports.ts";
import type { Compiled, InboundUnit, OutboundUnit } from "@heddle/engine/compile.ts";
import { callersOf } from "@heddle/engine/match/callers.ts";
import { proxyConf } from "@heddle/engine/match/match.ts";
import type { Conf, InboundRules, Policy } from "@heddle/engine/policy.ts";
import { kriOrigins, ruleKri } from "./meta.ts";
import { confAsWritten, routeConfs, routeOf, routeRules } from "./route-rules.ts";

/** What policies say about a proxy as a whole. */
export function proxyPolicies({ matched }: Compiled): PoliciesReport {
  return reportOf(
    matched.flatMap((selected) => {
      const conf = proxyConf(selected);
      return conf === undefined ? [] : [{ policy: selected.policy, conf }];
    }),
  );
}

/** What policies say about an outbound; undefined when the proxy has no such outbound. */
export function outboundPolicies(compiled: Compiled, outbound: string): PoliciesReport | undefined {
  const unit = outboundOf(compiled, outbound);
  if (unit === undefined) return undefined;
  return reportOf(
    unit.applied.flatMap(({ kind, conf }) => {
      const policy = policyOf(compiled, kind);
      return policy === undefined ? [] : [{ policy, conf }];
    }),
  );
}

/** What policies say about the requests of one route; undefined when there is no such outbound or route. */
export function routePolicies(compiled: Compiled, outbound: string, route: string): PoliciesReport | undefined {
  const unit = outboundOf(compiled, outbound);
  const found = unit && routeOf(unit, route);
  if (unit === undefined || found === undefined) return undefined;
  return reportOf(routeConfs(compiled.matched, unit, found));
}

/** The routes that policies brought to an outbound; undefined when the proxy has no such outbound. */
export function outboundRoutes(compiled: Compiled, outbound: string): RoutesReport | undefined {
  const unit = outboundOf(compiled, outbound);
  if (unit === undefined) return undefined;
  const inForce = new Set(unit.plan.routes.map(({ name }) => name));
  const routes = unit.applied.flatMap(({ kind, conf }) => {
    const policy = policyOf(compiled, kind);
    const rules = policy === undefined ? [] : routeRules(policy, conf).filter(({ kri }) => inForce.has(kri));
    return rules.length === 0 ? [] : [{ kind, origins: kriOrigins(conf.origins), rules }];
  });
  return { routes };
}

/** The rules of policies for an inbound; undefined when the proxy has no such inbound. */
export function inboundPolicies(compiled: Compiled, inbound: string): InboundPoliciesReport | undefined {
  const unit = compiled.inbounds.find(({ plan }) => plan.kri === inbound || plan.key === inbound);
  if (unit === undefined) return undefined;
  const policies = unit.rules.flatMap(({ kind, rules }) => {
    const policy = policyOf(compiled, kind);
    if (policy === undefined || rules.rules.length === 0) return [];
    return [{ kind, rules: rulesOf(policy, rules), origins: kriOrigins(rules.rules.map(({ origin }) => origin)) }];
  });
  return { policies };
}

/** The outbound that a KRI means, or for a Kuma 2.x service tag its name. */
export function outboundOf({ outbounds }: Compiled, name: string): OutboundUnit | undefined {
  return outbounds.find(({ plan: { destination } }) => destination.key === name || destination.kri === name);
}

function rulesOf(policy: Policy, given: InboundUnit["rules"][number]["rules"]): RuleReports {
  if (policy.keepsRulesApart === true) {
    return given.rules.map(({ origin, client, conf }) => ({ kri: ruleKri(origin), ...clientOf(client), conf }));
  }
  const everyone = given.everyone === undefined ? [] : [mergedRule(given.everyone)];
  return [...callersOf(given).map(({ match, conf }) => ({ match, conf })), ...everyone];
}
type RuleReports = InboundPoliciesReport["policies"][number]["rules"];

function clientOf(client: InboundRules["rules"][number]["client"]): { readonly match?: unknown } {
  if (client === undefined) return {};
  return { match: client.by === "matches" ? client.matches : client.ref };
}

// A merged rule is no single policy's, unless there is only one.
function mergedRule({ value, origins }: NonNullable<InboundRules["everyone"]>): RuleReports[number] {
  const [only, second] = origins;
  return { ...(only !== undefined && second === undefined ? { kri: ruleKri(only) } : {}), conf: value };
}

function reportOf(confs: readonly { readonly policy: Policy; readonly conf: Conf }[]): PoliciesReport {
  return {
    policies: confs.map(({ policy, conf }) => ({
      kind: policy.kind.type,
      conf: confAsWritten(policy, conf),
      origins: kriOrigins(conf.origins),
    })),
  };
}

function policyOf({ matched }: Compiled, kind: string): Policy | undefined {
  return matched.find(({ policy }) => policy.kind.type === kind)?.policy;
}
