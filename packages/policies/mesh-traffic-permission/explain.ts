import type { AccessAnswer, AccessQuestion, Caller } from "@heddle/engine/policy.ts";
import { LABEL } from "@heddle/model/labels.ts";
import type { TargetRef } from "@heddle/model/target-ref.ts";
import type { ActionConf, PermissionConf } from "./schema.ts";
import { type Callers, type CertificateUri, type Verdict, verdictsOf } from "./verdicts.ts";

type Question = AccessQuestion<PermissionConf | ActionConf>;

/** Whether a caller gets through, from the same verdicts that Envoy's rules are made of, and what would let it in. */
export function explainAccess(question: Question): AccessAnswer {
  const { rules, inbound, caller } = question;
  // Without mutual TLS nobody's identity is known, so nothing is filtered.
  if (inbound.tls === undefined) return { decision: "allow", origins: [] };
  const verdict = verdictsOf(rules, inbound.tls).findLast(({ callers }) => means(callers, caller));
  const origins = verdict === undefined ? [] : [verdict.origin];
  if (verdict?.does === "shadow-deny") return { decision: "allow", origins, shadowDenied: true };
  if (verdict?.does === "allow") return { decision: "allow", origins };
  const remedy = remedyFor(question, verdict);
  return { decision: "deny", origins, ...(remedy === undefined ? {} : { remedy }) };
}

function means({ uris, sni }: Callers, caller: Caller): boolean {
  return (sni === undefined || sni === caller.serverName) && uris.every((uri) => caller.uris.some(carries(uri)));
}

function carries({ type, value }: CertificateUri): (uri: string) => boolean {
  return (uri) => (type === "Exact" ? uri === value : uri.startsWith(value));
}

function remedyFor({ rules, inbound, caller, target }: Question, verdict: Verdict | undefined): object | undefined {
  const id = caller.uris.find((uri) => uri.startsWith("spiffe://"));
  if (id === undefined) return undefined;
  const [first] = rules.rules;
  // A policy with `rules` would silence every `from` of the inbound, so where `from` decides, the remedy is one of its kind.
  if (first !== undefined && inbound.tls?.issuer === "Mesh" && rules.rules.every(({ conf }) => "action" in conf)) {
    const own = `spiffe://${first.origin.mesh}/`;
    if (!id.startsWith(own)) return undefined;
    const service: TargetRef = { kind: "MeshSubset", tags: { [LABEL.service]: id.slice(own.length) } };
    return { targetRef: target, from: [{ targetRef: service, default: { action: "Allow" } }] };
  }
  // Nothing that allows outweighs a denial in `rules`.
  if (verdict !== undefined) return undefined;
  return { targetRef: target, rules: [{ default: { allow: [{ spiffeID: { type: "Exact", value: id } }] } }] };
}
