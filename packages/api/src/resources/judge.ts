import { canonicalJson } from "@heddle/model/canonical-json.ts";
import type { Kind, KindRegistry } from "@heddle/model/kind.ts";
import { type Expected, parseResource } from "@heddle/model/parse-resource.ts";
import { LABEL } from "@heddle/model/labels.ts";
import type { NewResource, Resource } from "@heddle/model/resource.ts";
import { holdOf, type PolicyStatus } from "@heddle/model/roll-out-status.ts";
import type { Parsed, Violation } from "@heddle/model/violation.ts";
import type { Reader, User, Write, WriteGuard } from "../ports.ts";
import type { Authorizer } from "../access/authorizer.ts";
import { accessGuard } from "../guards/access-guard.ts";
import { lockOutGuard } from "../guards/roles.ts";
import { type Place, withOwnedLabels } from "./owned-labels.ts";

/** What would become of a write, decided before anything is written: PUT obeys it, a plan reports it. */
export type Judgement =
  | { readonly outcome: "invalid"; readonly violations: readonly Violation[] }
  | { readonly outcome: "refused"; readonly status: number; readonly detail: string }
  | Accepted;

export interface Accepted {
  readonly outcome: "created" | "updated" | "unchanged";
  readonly resource: NewResource;
  /** What it replaces. */
  readonly previous?: Resource;
  readonly warnings: readonly string[];
}

/** With what writes are judged. */
export interface Judge {
  readonly kinds: KindRegistry;
  readonly place: Place;
  readonly guards: readonly WriteGuard[];
}

/** The judge with what this user may do; asked first, so that nobody learns from other guards what they may not touch. */
export function judgeFor(judge: Judge, authorizer: Authorizer, user: User): Judge {
  const own = [accessGuard(authorizer, user), lockOutGuard({ accessType: authorizer.type }, user)];
  return { ...judge, guards: [...own, ...judge.guards] };
}

/** Judges a document that shall be stored; `expected` is what the path of the call says. */
export async function judgePut(judge: Judge, read: Reader, raw: unknown, expected: Expected): Promise<Judgement> {
  const parsed = parseOwned(judge, raw, expected);
  if (!parsed.ok) return { outcome: "invalid", violations: parsed.violations };
  const { kind, resource: written } = parsed.value;
  const previous = await read.get(written);
  // Status is the control plane's part: what a user sends of it is dropped, what is known is kept.
  const resource: NewResource = { ...written, status: previous && statusOf(written, previous) };
  const write: Write =
    previous === undefined
      ? { operation: "create", kind, resource }
      : { operation: "update", kind, resource, previous };
  const verdict = await consult(judge.guards, write, read);
  if (verdict.outcome !== "accepted") return verdict;
  const warnings = [...(kind.warn?.(resource.spec) ?? []), ...verdict.warnings, ...holdWarnings(resource)];
  return previous === undefined
    ? { outcome: "created", resource, warnings }
    : { outcome: sameContent(resource, previous) ? "unchanged" : "updated", resource, previous, warnings };
}

/** A policy with another content is no longer held: it is tried anew. */
function statusOf(written: NewResource, previous: Resource): unknown {
  const { rollOut, ...rest } = (previous.status ?? {}) as PolicyStatus;
  if (rollOut === undefined || holdOf({ ...previous, ...written, status: previous.status }) !== undefined)
    return previous.status;
  return Object.keys(rest).length === 0 ? undefined : rest;
}

function holdWarnings(resource: NewResource): readonly string[] {
  const { rollOut } = (resource.status ?? {}) as PolicyStatus;
  if (rollOut === undefined) return [];
  return [`is held: ${rollOut.message}; change it, or insist with the label ${LABEL.hold}: disabled`];
}

/** Judges the removal of a resource. */
export async function judgeDelete(judge: Judge, read: Reader, kind: Kind, previous: Resource): Promise<Verdicts> {
  return consult(judge.guards, { operation: "delete", kind, previous }, read);
}

type Verdicts = Exclude<Judgement, Accepted> | { readonly outcome: "accepted"; readonly warnings: readonly string[] };

/** Hears all guards, so that every violation is told at once; a refusal ends it. */
async function consult(guards: readonly WriteGuard[], write: Write, read: Reader): Promise<Verdicts> {
  const violations: Violation[] = [];
  const warnings: string[] = [];
  for (const guard of guards) {
    const verdict = await guard(write, read);
    if (verdict.refusal !== undefined) return { outcome: "refused", ...verdict.refusal };
    violations.push(...(verdict.violations ?? []));
    warnings.push(...(verdict.warnings ?? []));
  }
  return violations.length > 0 ? { outcome: "invalid", violations } : { outcome: "accepted", warnings };
}

interface Owned {
  readonly kind: Kind;
  readonly resource: NewResource;
}

function parseOwned({ kinds, place }: Judge, raw: unknown, expected: Expected): Parsed<Owned> {
  const parsed = parseResource(kinds, raw, expected);
  if (!parsed.ok) return parsed;
  const kind = kinds.byType(parsed.value.type);
  if (kind === undefined) throw new RangeError(`Cannot judge "${parsed.value.type}": the kind parsed, yet is unknown`);
  const owned = withOwnedLabels(kind, parsed.value, place);
  return owned.ok ? { ok: true, value: { kind, resource: owned.value } } : owned;
}

function sameContent(a: NewResource, b: NewResource): boolean {
  return canonicalJson([a.labels, a.spec]) === canonicalJson([b.labels, b.spec]);
}
