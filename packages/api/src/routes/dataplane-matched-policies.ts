import type { Context } from "../context.ts";
import type { Route } from "../http/route.ts";
import type { Meta, PolicyRules, RulesReport } from "../reports.ts";
import { inspectionRoute } from "./proxy-path.ts";

/** Kuma 2.x's list of the policies of a proxy: what `kumactl inspect dataplane NAME` shows. */
export function dataplaneMatchedPoliciesRoute(context: Context): Route {
  return inspectionRoute(context, {
    path: "policies",
    title: "Could not get MatchedPolicies",
    doc: {
      summary: "Policies of a whole proxy, by kind",
      answer: "Kuma 2.x: {kind, total, items: [{type, name, matchedPolicies: {KIND: [{type, mesh, name}]}}]}",
      alias: true,
    },
    answer: async ({ proxy, inspect }) => {
      const report = await inspect.rules(proxy);
      return report === undefined ? undefined : matchedPolicies(report);
    },
  });
}

function matchedPolicies({ rules }: RulesReport): object {
  const byKind = rules.map((kind) => [kind.type, originsOf(kind)] as const).filter(([, origins]) => origins.length > 0);
  // Its policies for single inbounds and outbounds are gone; today's all reach the proxy as a whole.
  const whole = { type: "dataplane", name: "", service: "", matchedPolicies: Object.fromEntries(byKind) };
  const items = byKind.length === 0 ? [] : [whole];
  return { kind: "SidecarDataplane", total: items.length, items };
}

/** Every policy of a kind that any rule came from, once, by name. */
function originsOf(kind: PolicyRules): readonly Meta[] {
  const metas = [
    ...(kind.proxyRule?.origin ?? []),
    ...kind.toResourceRules.flatMap(({ origin }) => origin.map(({ resourceMeta }) => resourceMeta)),
    ...kind.inboundRules.flatMap(({ rules }) => rules.flatMap(({ origin }) => origin.map((each) => each.resourceMeta))),
    ...(kind.fromRules ?? []).flatMap(({ rules }) => rules.flatMap(({ origin }) => origin)),
    ...(kind.toRules ?? []).flatMap(({ origin }) => origin),
  ];
  const unique = new Map(metas.map((meta) => [meta.name, meta]));
  return [...unique.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
