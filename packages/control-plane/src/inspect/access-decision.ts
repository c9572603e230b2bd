import type { AccessReport } from "@heddle/api/reports.ts";
import { compile, type Compiled } from "@heddle/engine/compile.ts";
import type { Origin } from "@heddle/engine/plan/plan.ts";
import type { AccessAnswer, Policy } from "@heddle/engine/policy.ts";
import type { DataplaneEntry, MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import { legacyKindOf } from "@heddle/model/legacy/index.ts";
import type { NamedCaller } from "./access-caller.ts";
import { remedyOf } from "./access-fix.ts";
import { type AccessTarget, serverNamesOf, targetOf } from "./access-target.ts";
import type { InspectOptions } from "./options.ts";
import type { Subject } from "./subject.ts";

/** What policies decide about a caller with an identity, in words. */
export type Decided = Pick<AccessReport["inbounds"][number], "decision" | "reason" | "origins" | "fix">;

interface Question {
  readonly mesh: MeshSnapshot;
  readonly entry: DataplaneEntry;
  readonly compiled: Compiled;
  readonly inbound: string;
  readonly caller: NamedCaller;
}

interface Asked {
  readonly policy: Policy;
  readonly answer: AccessAnswer;
  readonly target: AccessTarget;
}

/** Asks every kind of policy that decides about access; all of them have to agree. */
export function decideByPolicies(
  options: InspectOptions,
  { snapshot: mesh, entry, compiled }: Subject,
  inbound: string,
  caller: NamedCaller,
): Decided {
  const question: Question = { mesh, entry, compiled, inbound, caller };
  const what = `${caller.name} to call inbound ${inbound} of "${entry.resource.name}"`;
  const decisive = ask(question);
  if (decisive === undefined) {
    return { decision: "allow", reason: `no kind of policy forbids ${what}`, origins: [] };
  }
  const { decision, origins, shadowDenied = false } = decisive.answer;
  const shadow = shadowDenied ? ", and counts it as denied (shadow denial)" : "";
  const decided = {
    decision,
    reason: `${whoDecides(decisive, mesh.mesh.name)} ${what}${shadow}`,
    origins: [...new Set(origins.map(({ kri }) => kri))],
  };
  return decision === "allow" ? decided : { ...decided, fix: fixFor(options, question, decisive) };
}

/** The answer that decides: a denial, if there is one. */
function ask({ mesh, entry, compiled, inbound, caller: { uris } }: Question): Asked | undefined {
  const unit = compiled.inbounds.find(({ plan }) => plan.name === inbound);
  if (unit === undefined) return undefined;
  const target = targetOf(mesh, entry, unit.plan);
  const names = serverNamesOf(mesh, entry, unit.plan);
  const answers = unit.rules.flatMap(({ kind, rules }): Asked[] => {
    const policy = compiled.matched.find((selected) => selected.policy.kind.type === kind)?.policy;
    const given = (names.length === 0 ? [undefined] : names).flatMap(
      (serverName) =>
        policy?.explainAccess?.({ rules, inbound: unit.plan, caller: { uris, serverName }, target: target.ref }) ?? [],
    );
    // A caller may use any name that the service has: one by which it gets in is enough.
    const answer = given.find(({ decision }) => decision === "allow") ?? given[0];
    return policy === undefined || answer === undefined ? [] : [{ policy, answer, target }];
  });
  return answers.find(({ answer }) => answer.decision === "deny") ?? answers.at(-1);
}

/** "MeshTrafficPermission "web" allows", or that there is none. */
function whoDecides({ policy, answer: { decision, origins } }: Asked, mesh: string): string {
  const { type = policy.kind.type } = origins[0] ?? {};
  const names = [...new Set(origins.map(({ name }) => `"${name}"`))].join(", ");
  if (decision === "allow") return names === "" ? `no ${type} of mesh "${mesh}" forbids` : `${type} ${names} allows`;
  return names === "" ? `no ${type} of mesh "${mesh}" allows` : `${type} ${names} forbids`;
}

/** What to write so that the caller gets in: a policy that was tried out here and does it, else what to change. */
function fixFor(options: InspectOptions, question: Question, { policy, answer, target }: Asked): string {
  const { mesh, entry, caller } = question;
  const { type } = policy.kind;
  const old = legacyIn(question, type);
  // A policy of today would silence the one of Kuma 2.x, and with it whoever that one lets in.
  if (old !== undefined) return `add ${caller.name} to the sources of ${old.type} "${old.name}"`;
  const hint = `allow ${lastWord(caller.name)} to ${target.name}`;
  const remedy = remedyOf(mesh, options.kinds, type, { answer, hint });
  if (remedy !== undefined) {
    const compiled = compile(remedy.mesh, entry, options.policies, options.memo);
    const then = ask({ ...question, mesh: remedy.mesh, compiled });
    if (then?.answer.decision !== "deny") return remedy.yaml;
  }
  const names = [...new Set(answer.origins.map(({ name }) => `"${name}"`))].join(", ");
  if (names === "") return `write a ${type} that allows ${caller.name}`;
  return `change ${type} ${names}: no other ${type} outweighs what it forbids`;
}

/** The policy of Kuma 2.x that decides in place of a kind of today. */
function legacyIn({ compiled, inbound }: Question, kind: string): Origin | undefined {
  const unit = compiled.inbounds.find(({ plan }) => plan.name === inbound);
  // With a MeshIdentity callers carry no tags, and those policies say nothing.
  if (unit?.plan.tls?.issuer !== "Mesh") return undefined;
  const given = unit.rules.find((each) => each.kind === kind)?.rules.rules ?? [];
  return given.map(({ origin }) => origin).find(({ type }) => legacyKindOf(type) !== undefined);
}

function lastWord(name: string): string {
  return name.replaceAll('"', "").split("/").at(-1) ?? name;
}
