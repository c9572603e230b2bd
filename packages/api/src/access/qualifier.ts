import type { Qualifier } from "@heddle/model/kinds/access.ts";
import type { TargetRef } from "@heddle/model/target-ref.ts";

type Tags = Readonly<Record<string, string>>;

/** What a rule's `when` is compared with: the spec of a policy, or the tags that a dataplane token is bound to. */
export type Subject =
  | { readonly what: "spec"; readonly spec: unknown; readonly isPolicy: boolean }
  | { readonly what: "dataplaneToken"; readonly tags: Readonly<Record<string, readonly string[]>> };

/** Whether everything that a qualifier asks for is so. What it asks for must be there: a missing `to` fits no `to`. */
export function fits(qualifier: Qualifier, subject: Subject): boolean {
  const { targetRef, to, from, sources, destinations, selectors, dpToken } = qualifier;
  if (subject.what === "dataplaneToken") {
    return dpToken !== undefined && dpToken.tags.every(({ name, value }) => isBoundTo(subject.tags, name, value));
  }
  if (dpToken !== undefined) return false;
  const spec = subject.spec as PolicyShape;
  return [
    // A policy without targetRef selects the whole mesh.
    targetRef === undefined || (subject.isPolicy && isWithin(spec.targetRef ?? { kind: "Mesh" }, targetRef)),
    to === undefined || everyTarget(spec.to, to.targetRef),
    from === undefined || everyTarget(spec.from, from.targetRef),
    sources === undefined || everyMatch(spec.sources, sources.match),
    destinations === undefined || everyMatch(spec.destinations, destinations.match),
    selectors === undefined || everyMatch(spec.selectors, selectors.match),
  ].every(Boolean);
}

/** The parts of a policy that are looked at; its kind has checked their shapes. */
interface PolicyShape {
  readonly targetRef?: TargetRef;
  readonly to?: readonly { readonly targetRef: TargetRef }[];
  readonly from?: readonly { readonly targetRef: TargetRef }[];
  readonly sources?: readonly { readonly match: Tags }[];
  readonly destinations?: readonly { readonly match: Tags }[];
  readonly selectors?: readonly { readonly match: Tags }[];
}

function everyTarget(items: readonly { readonly targetRef: TargetRef }[] = [], wanted: TargetRef): boolean {
  return items.length > 0 && items.every((item) => isWithin(item.targetRef, wanted));
}

function everyMatch(items: readonly { readonly match: Tags }[] = [], wanted: Tags): boolean {
  return items.length > 0 && items.every(({ match }) => hasAll(match, wanted));
}

/** Whether a reference selects nothing that the wanted one does not select: it may be narrower. */
function isWithin(ref: TargetRef, wanted: TargetRef): boolean {
  return (
    ref.kind === wanted.kind &&
    (["name", "namespace", "sectionName"] as const).every(
      (field) => wanted[field] === undefined || ref[field] === wanted[field],
    ) &&
    hasAll(ref.labels ?? {}, wanted.labels ?? {}) &&
    hasAll(ref.tags ?? {}, wanted.tags ?? {}) &&
    (wanted.proxyTypes === undefined || (ref.proxyTypes ?? []).some((type) => wanted.proxyTypes?.includes(type))) &&
    (wanted.proxyTypes === undefined || (ref.proxyTypes ?? []).every((type) => wanted.proxyTypes?.includes(type)))
  );
}

function hasAll(tags: Tags, wanted: Tags): boolean {
  return Object.entries(wanted).every(
    ([key, value]) => Object.hasOwn(tags, key) && (value === "*" || tags[key] === value),
  );
}

function isBoundTo(tags: Readonly<Record<string, readonly string[]>>, tag: string, value: string): boolean {
  const values = Object.hasOwn(tags, tag) ? (tags[tag] ?? []) : [];
  return values.length > 0 && values.every((each) => each === value);
}
