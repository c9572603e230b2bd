import type { PolicyRules, RulesReport } from "@heddle/api/reports.ts";
import type { Compiled } from "@heddle/engine/compile.ts";
import { proxyConf, type Selected } from "@heddle/engine/match/match.ts";
import type { KindRegistry } from "@heddle/model/kind.ts";
import { contentHash } from "@heddle/model/canonical-json.ts";
import { fromRules } from "./from-rules.ts";
import { inboundRules } from "./inbound-rules.ts";
import { Metas } from "./meta.ts";
import { routeRules } from "./route-rules.ts";
import type { Subject } from "./subject.ts";
import { toResourceRules } from "./to-resource-rules.ts";
import { toRules } from "./to-rules.ts";
import { warningsOf } from "./rule-warnings.ts";

/** Everything that policies say about a proxy: by kind, and by the place that it is said about. */
export function rulesReport(subject: Subject, kinds: KindRegistry): RulesReport {
  const metas = new Metas(subject.snapshot, kinds);
  return {
    httpMatches: httpMatches(subject.compiled),
    rules: subject.compiled.matched
      .filter(({ policies }) => policies.length > 0)
      .map((selected) => policyRules(subject, selected, metas)),
  };
}

function policyRules(subject: Subject, selected: Selected, metas: Metas): PolicyRules {
  const proxy = proxyConf(selected);
  const from = fromRules(subject.compiled, selected, metas);
  const to = toRules(subject, selected, metas);
  return {
    type: selected.policy.kind.type,
    ...(proxy && { proxyRule: { conf: proxy.value, origin: proxy.origins.map((origin) => metas.ofOrigin(origin)) } }),
    toResourceRules: toResourceRules(subject.snapshot, selected, metas),
    inboundRules: inboundRules(subject.compiled, selected, metas),
    ...(from.rules.length > 0 && { fromRules: from.rules }),
    ...(to.length > 0 && { toRules: to }),
    warnings: [...warningsOf(subject, selected), ...from.warnings],
  };
}

/** The matches of all routing rules of the proxy, under a hash by which other answers may refer to them. */
function httpMatches({ matched, outbounds }: Compiled): RulesReport["httpMatches"] {
  const rules = outbounds.flatMap(({ applied }) =>
    applied.flatMap(({ kind, conf }) => {
      const policy = matched.find((selected) => selected.policy.kind.type === kind)?.policy;
      return policy === undefined ? [] : routeRules(policy, conf);
    }),
  );
  const byHash = new Map(rules.map(({ matches }) => [contentHash(matches), matches]));
  return [...byHash].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([hash, match]) => ({ hash, match }));
}
