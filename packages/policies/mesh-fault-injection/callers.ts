import { callersOf } from "@heddle/engine/match/callers.ts";
import type { CallerSettings, InboundPlan } from "@heddle/engine/plan/plan.ts";
import type { InboundRule, InboundRules } from "@heddle/engine/policy.ts";
import { LABEL } from "@heddle/model/labels.ts";
import type { Match, TargetRef } from "@heddle/model/target-ref.ts";
import type { Fault, FaultsConf } from "./schema.ts";

/** Faults for the requests of some callers. */
export interface CallerFaults extends Pick<CallerSettings, "match" | "and"> {
  readonly faults: readonly Fault[];
}

/**
 * The faults that are for some callers only, in the order in which they are to be tried: those of `rules`, then those of
 * Kuma 2.x's `from`, of which the strongest that means a caller counts.
 */
export function callerFaults(rules: InboundRules<FaultsConf>, tls: InboundPlan["tls"]): readonly CallerFaults[] {
  const fromMatches = callersOf(rules).flatMap(({ match, conf: { http } }) =>
    http === undefined ? [] : [{ match, faults: http }],
  );
  // Without a certificate of Kuma 2.x nothing says which tags a caller has.
  return tls?.issuer === "Mesh" ? [...fromMatches, ...fromTargetRefs(rules)] : fromMatches;
}

// A list is replaced as a whole, so what is for everybody silences all that is weaker.
function fromTargetRefs({ rules }: InboundRules<FaultsConf>): readonly CallerFaults[] {
  const said = rules.filter(({ conf }) => conf.http !== undefined);
  const stronger = said.slice(said.findLastIndex(({ client }) => client === undefined) + 1);
  return stronger.toReversed().flatMap(byTags);
}

function byTags({ client, conf: { http = [] }, origin }: InboundRule<FaultsConf>): readonly CallerFaults[] {
  if (client?.by !== "targetRef") return [];
  const [match, ...and] = Object.entries(tagsOf(client.ref)).map(([tag, value]) => tagMatch(origin.mesh, tag, value));
  return match === undefined ? [] : [{ match, and, faults: http }];
}

function tagsOf({ name, tags }: TargetRef): Readonly<Record<string, string>> {
  return { ...tags, ...(name === undefined ? {} : { [LABEL.service]: name }) };
}

// Certificates of Kuma 2.x name the service as the SPIFFE ID and every tag as a URI of its own.
function tagMatch(mesh: string, tag: string, value: string): Match {
  const prefix = tag === LABEL.service ? `spiffe://${mesh}/` : `kuma://${tag}/`;
  return {
    spiffeID: value === "*" ? { type: "Prefix", value: prefix } : { type: "Exact", value: `${prefix}${value}` },
  };
}
