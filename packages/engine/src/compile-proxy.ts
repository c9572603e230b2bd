import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { type Matched, proxyConf } from "./match/match.ts";
import type { Memo } from "./memo.ts";
import type { Destination, Origin, Patched, ProxyChange, Resources } from "./plan/plan.ts";
import type { Passthrough } from "./plan/passthrough.ts";
import type { Proposal } from "./plan/settings.ts";
import type { Conf, FactsOf, Policy } from "./policy.ts";
import type { ProxyFacts } from "./proxy-facts.ts";

/** What policies make of a proxy as a whole. One object for as long as it is the same. */
export interface Whole {
  readonly applied: readonly { readonly policy: Policy; readonly conf: Conf }[];
  /** For each inbound and each outbound, beside what policies say about these. */
  readonly inbounds: readonly Proposal[];
  readonly outbounds: readonly (Omit<Proposal, "change"> & { readonly change: ProxyChange["outbounds"] & {} })[];
  /** What the proxy has beside its inbounds and outbounds. */
  readonly units: readonly {
    readonly kind: string;
    readonly origins: readonly Origin[];
    readonly resources: readonly EncodedResource[];
  }[];
  /** Of redirected connections that go to no destination of the mesh. Absent: as the mesh says. */
  readonly passthrough?: { readonly origins: readonly Origin[]; readonly plan: Passthrough } | undefined;
  readonly warnings: readonly { readonly kind: string; readonly warning: string }[];
}

/** Asks the policies that speak of whole proxies what they want changed. */
export function compileProxy(matched: Matched, proxy: ProxyFacts, memo: Memo): Whole {
  const applied = matched.flatMap((selected) => {
    const conf = proxyConf(selected);
    return conf === undefined ? [] : [{ policy: selected.policy, conf }];
  });
  if (applied.length === 0) return NOTHING;
  const key = `whole|${applied.map(({ conf }) => conf.hash).join("|")}`;
  return memo.of(proxy).get(key, () => makeWhole(applied, proxy));
}

const NOTHING: Whole = { applied: [], inbounds: [], outbounds: [], units: [], warnings: [] };

function makeWhole(applied: Whole["applied"], proxy: ProxyFacts): Whole {
  const changes = applied.map(({ policy, conf }) => ({
    kind: policy.kind.type,
    origins: conf.origins,
    change: policy.proxy?.(conf, proxy) ?? {},
  }));
  return {
    applied,
    inbounds: changes.flatMap(({ kind, origins, change: { inbounds } }) =>
      inbounds === undefined ? [] : [{ kind, origins, change: inbounds }],
    ),
    outbounds: changes.flatMap(({ kind, origins, change: { outbounds } }) =>
      outbounds === undefined ? [] : [{ kind, origins, change: outbounds }],
    ),
    units: changes.flatMap(({ kind, origins, change: { resources = [] } }) =>
      resources.length === 0 ? [] : [{ kind, origins, resources }],
    ),
    passthrough: changes
      .flatMap(({ origins, change: { passthrough: plan } }) => (plan === undefined ? [] : [{ origins, plan }]))
      .at(-1),
    warnings: changes.flatMap(({ kind, change: { warnings = [] } }) => warnings.map((warning) => ({ kind, warning }))),
  };
}

/** What policies for whole proxies want changed about requests to a destination. */
export function wholeProposals({ outbounds }: Whole, destination: Destination): readonly Proposal[] {
  return outbounds.map(({ change, ...rest }) => ({
    ...rest,
    change: typeof change === "function" ? change(destination) : change,
  }));
}

/** Lets the policies that change Envoy's resources themselves have the last word. */
export function patched(resources: Resources, { applied }: Whole, factsOf: () => FactsOf): Patched {
  const patches = applied.filter(({ policy }) => policy.patch !== undefined);
  if (patches.length === 0) return { resources, origins: UNTOUCHED };
  const known = factsOf();
  return patches.reduce(
    (before: Patched, { policy, conf }): Patched => {
      const after = policy.patch?.(conf, before.resources, known) ?? before;
      return { resources: after.resources, origins: new Map([...before.origins, ...after.origins]) };
    },
    { resources, origins: UNTOUCHED },
  );
}

const UNTOUCHED: Patched["origins"] = new Map();
