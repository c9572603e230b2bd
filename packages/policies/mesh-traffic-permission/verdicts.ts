import type { InboundPlan, Origin } from "@heddle/engine/plan/plan.ts";
import type { Client, InboundRule, InboundRules } from "@heddle/engine/policy.ts";
import { LABEL } from "@heddle/model/labels.ts";
import type { Match, TargetRef } from "@heddle/model/target-ref.ts";
import type { ActionConf, PermissionConf } from "./schema.ts";

/** A URI that a caller's certificate must carry. */
export interface CertificateUri {
  readonly type: "Exact" | "Prefix";
  readonly value: string;
}

/** A group of callers: those with all of these URIs, that asked for this server name. Without either: everybody. */
export interface Callers {
  readonly uris: readonly CertificateUri[];
  readonly sni: string | undefined;
}

/** What becomes of the requests of a group of callers. "shadow-deny" lets them pass and reports what a denial would do. */
export interface Verdict {
  readonly does: "allow" | "deny" | "shadow-deny";
  readonly callers: Callers;
  readonly origin: Origin;
}

/**
 * The verdicts over an inbound from the weakest to the strongest: the strongest one that means a caller counts, and a
 * caller that none means is denied. Kuma 2.x's `from` only counts while no policy has `rules`, and not for a proxy with
 * a MeshIdentity: its callers' certificates no longer carry the tags that `from` speaks of.
 */
export function verdictsOf(
  { rules }: InboundRules<PermissionConf | ActionConf>,
  tls: NonNullable<InboundPlan["tls"]>,
): readonly Verdict[] {
  const permissions = rules.filter(isPermission);
  if (permissions.length > 0) {
    // However strong the policy that allows, a denial anywhere wins.
    return [
      ...permissions.flatMap((rule) => listed(rule, "allow", "allow")),
      ...permissions.flatMap((rule) => listed(rule, "allowWithShadowDeny", "shadow-deny")),
      ...permissions.flatMap((rule) => listed(rule, "deny", "deny")),
    ];
  }
  return tls.issuer === "MeshIdentity" ? [] : rules.filter(isAction).map(actionVerdict);
}

function listed(
  { conf, origin }: InboundRule<PermissionConf>,
  list: keyof PermissionConf,
  does: Verdict["does"],
): readonly Verdict[] {
  return (conf[list] ?? []).map((match) => ({ does, callers: callersOf(match), origin }));
}

function callersOf({ spiffeID, sni }: Match): Callers {
  return { uris: spiffeID === undefined ? [] : [spiffeID], sni: sni?.value };
}

const ACTIONS = { Allow: "allow", Deny: "deny", AllowWithShadowDeny: "shadow-deny" } as const;

function actionVerdict({ client, conf, origin }: InboundRule<ActionConf>): Verdict {
  const uris = Object.entries(tagsOf(client)).map(([tag, value]) => tagUri(origin.mesh, tag, value));
  return { does: ACTIONS[conf.action], callers: { uris, sni: undefined }, origin };
}

function tagsOf(client: Client | undefined): NonNullable<TargetRef["tags"]> {
  if (client?.by !== "targetRef") return {};
  const { name, tags } = client.ref;
  return { ...tags, ...(name === undefined ? {} : { [LABEL.service]: name }) };
}

// Kuma 2.x certificates name their service as the SPIFFE ID and every tag as a URI of its own.
function tagUri(mesh: string, tag: string, value: string): CertificateUri {
  const prefix = tag === LABEL.service ? `spiffe://${mesh}/` : `kuma://${tag}/`;
  return value === "*" ? { type: "Prefix", value: prefix } : { type: "Exact", value: `${prefix}${value}` };
}

function isPermission(rule: InboundRule<PermissionConf | ActionConf>): rule is InboundRule<PermissionConf> {
  return !isAction(rule);
}

function isAction(rule: InboundRule<PermissionConf | ActionConf>): rule is InboundRule<ActionConf> {
  return "action" in rule.conf;
}
