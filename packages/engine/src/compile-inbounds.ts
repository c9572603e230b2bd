import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import type { InboundUnit } from "./compile.ts";
import type { Whole } from "./compile-proxy.ts";
import { type CompileContext, tlsKey } from "./compile-context.ts";
import { applicationCluster } from "./emit/cluster.ts";
import { isHttp } from "./emit/common.ts";
import { inboundRoutes } from "./emit/inbound-routes.ts";
import { inboundListener } from "./emit/listener.ts";
import { inboundRules, type Matched, type Selected } from "./match/match.ts";
import { type Memo, ObjectMemo } from "./memo.ts";
import { baseInbounds } from "./plan/base-plan.ts";
import type { InboundPlan, ProxyTls } from "./plan/plan.ts";
import { applyProposals, clusterText, listenerText, type Proposal, tlsText } from "./plan/settings.ts";
import type { InboundRules } from "./policy.ts";
import type { ProxyFacts } from "./proxy-facts.ts";
import type { DataplaneEntry } from "./snapshot/snapshot.ts";

/** Compiles the ports of the application that a proxy serves. */
export function compileInbounds(context: CompileContext, proxy: DataplaneEntry["resource"]): readonly InboundUnit[] {
  const { tls, memo, matched, whole, proxy: facts, proxyKey } = context;
  const bases = memo.of(proxy).get(`inbounds|${tlsKey(tls)}`, () => baseInbounds(proxy, tls));
  return bases.map((base) => {
    const known = latest.get(base);
    if (known?.matched === matched && known.whole === whole && known.facts === facts) return known.unit;
    const rules = matched.map((selected) => ({ selected, rules: inboundRules(selected, base.name) }));
    const key = `inbound|${proxyKey}|${rules.map((each) => each.rules.hash).join("|")}`;
    const unit = memo.of(base).get(key, () => compileInbound(context, base, rules));
    latest.set(base, { matched, whole, facts, unit });
    return unit;
  });
}

// While no policy changed, there is nothing to look up.
const latest = new WeakMap<InboundPlan, Latest>();
interface Latest {
  readonly matched: Matched;
  readonly whole: Whole;
  readonly facts: ProxyFacts;
  readonly unit: InboundUnit;
}

interface SelectedRules {
  readonly selected: Selected;
  readonly rules: InboundRules;
}

function compileInbound(
  { memo, proxy, whole }: CompileContext,
  base: InboundPlan,
  selectedRules: readonly SelectedRules[],
): InboundUnit {
  const proposals = [...whole.inbounds, ...selectedRules.flatMap((each) => proposalOf(each, base, proxy))];
  const { settings, conflicts } = applyProposals(base.settings, proposals, base.key);
  const plan = { ...base, settings, tls: inMode(base.tls, settings.tls.mode) };
  return {
    plan,
    conflicts,
    applied: selectedRules.flatMap(({ selected: { policy }, rules: { everyone } }) =>
      everyone === undefined ? [] : [{ kind: policy.kind.type, conf: everyone }],
    ),
    rules: selectedRules.map(({ selected: { policy }, rules }) => ({ kind: policy.kind.type, rules })),
    resources: inboundResources(base, plan, memo),
  };
}

function proposalOf(
  { selected: { policy }, rules }: SelectedRules,
  base: InboundPlan,
  proxy: ProxyFacts,
): readonly Proposal[] {
  const change = policy.inbound?.(rules, base, proxy);
  if (change === undefined) return [];
  return [{ kind: policy.kind.type, origins: rules.rules.map(({ origin }) => origin), change }];
}

function inMode(tls: ProxyTls | undefined, mode: ProxyTls["mode"] | undefined): ProxyTls | undefined {
  if (tls === undefined || mode === undefined || mode === tls.mode) return tls;
  return otherModes.get(tls, mode, () => ({ ...tls, mode }));
}

// What is made for one part in mutual TLS serves all who share it.
const otherModes = new ObjectMemo<ProxyTls, ProxyTls>();

// A policy that changes one of the three leaves the others as they were encoded.
function inboundResources(base: InboundPlan, plan: InboundPlan, memo: Memo): readonly EncodedResource[] {
  const { settings } = plan;
  const results = memo.of(base);
  return [
    results.get(`inbound cluster|${clusterText(settings)}`, () => applicationCluster(plan)),
    results.get(`inbound listener|${listenerText(settings)}|${tlsText(settings)}`, () => inboundListener(plan)),
    ...(isHttp(plan.protocol) ? [inboundRoutes(plan)] : []),
    ...settings.resources,
  ];
}
