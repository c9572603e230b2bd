import type { AccessReport } from "@heddle/api/reports.ts";
import type { InboundUnit } from "@heddle/engine/compile.ts";
import type { NamedCaller } from "./access-caller.ts";
import { callerOf } from "./access-caller.ts";
import { type Decided, decideByPolicies } from "./access-decision.ts";
import type { InspectOptions } from "./options.ts";
import type { Subject } from "./subject.ts";

type InboundAccess = AccessReport["inbounds"][number];
type Answer = Pick<InboundAccess, "decision" | "reason" | "origins" | "fix">;

/** Whether a caller gets through to each inbound of a proxy, why, and what to write so that it does. */
export function accessReport(options: InspectOptions, subject: Subject, from: string): AccessReport | undefined {
  const caller = callerOf(subject.snapshot, from);
  if (caller === undefined) return undefined;
  const inbounds = subject.compiled.inbounds.map((unit) => ({
    inbound: unit.plan.name,
    port: unit.plan.port,
    ...answerFor(options, subject, unit, caller),
  }));
  return { inbounds };
}

/** In the order in which Envoy decides: the listener's mutual TLS, the certificate's trust domain, then the policies. */
function answerFor(options: InspectOptions, subject: Subject, unit: InboundUnit, caller: NamedCaller): Answer {
  const { plan } = unit;
  const name = subject.entry.resource.name;
  const mesh = subject.snapshot.mesh.name;
  const where = `inbound ${plan.name} of "${name}"`;
  if (plan.tls === undefined) {
    const reason = `${where} speaks plain text: whoever reaches port ${plan.port} may call, and permissions do not count`;
    const fix = `turn mutual TLS on in Mesh "${mesh}", or let a MeshIdentity select "${name}"`;
    return { decision: "plaintext", reason, origins: [], fix };
  }
  const { problem } = subject.compiled.identity ?? {};
  if (problem !== undefined) {
    const reason = `${where} accepts mutual TLS only, and "${name}" gets no certificate: ${problem}`;
    return { decision: "deny", reason, origins: [], fix: `correct the labels of "${name}" or its MeshIdentity` };
  }
  if (caller.uris.length === 0) return withoutIdentity(plan.tls.mode, where, caller, mesh);
  const { trustPrefixes } = plan.tls;
  if (!caller.uris.some((uri) => trustPrefixes.some((prefix) => uri.startsWith(prefix)))) {
    const reason = `${where} trusts ${trustPrefixes.join(", ")} and no others, so ${caller.name} cannot connect`;
    const fix = `add a MeshTrust with the certificate authority of that trust domain to mesh "${mesh}"`;
    return { decision: "deny", reason, origins: [], fix };
  }
  const decided = decideByPolicies(options, subject, plan.name, caller);
  return decided.decision === "deny" ? denied(decided, plan.tls.mode, where) : decided;
}

function withoutIdentity(mode: "strict" | "permissive", where: string, caller: NamedCaller, mesh: string): Answer {
  if (mode === "permissive") {
    const reason = `${where} accepts plain text beside mutual TLS, so ${caller.name} gets through without an identity`;
    return { decision: "plaintext", reason, origins: [] };
  }
  const reason = `${where} accepts mutual TLS only, and ${caller.name} has no identity${caller.problem === undefined ? "" : `: ${caller.problem}`}`;
  const fix = `give ${caller.name} an identity: let a MeshIdentity select it, or turn mutual TLS on in Mesh "${mesh}"`;
  return { decision: "deny", reason, origins: [], fix };
}

// Who is denied by its identity may still come without one while plain text is accepted; leaving that out would be a lie.
function denied(decided: Decided, mode: "strict" | "permissive", where: string): Answer {
  if (mode === "strict") return decided;
  return { ...decided, reason: `${decided.reason}; in plain text, which ${where} accepts too, nobody is denied` };
}
