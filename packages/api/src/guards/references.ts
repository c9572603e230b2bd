import type { Labels } from "@heddle/model/labels.ts";

/** A place in a spec that points at other resources of the same mesh. */
export interface Reference {
  readonly field: string;
  readonly kind: string;
  readonly name?: string;
  readonly labels?: Labels;
  readonly tags?: Labels;
}

// Kuma's shapes of a reference all have `kind` and one of these beside it.
const SELECTORS = ["name", "labels", "tags"] as const;

/** All references in a spec: targetRef, backendRef, backendRefs[], secretRef, and dataplaneRef of a MeshService. */
export function referencesIn(value: unknown, field = ""): readonly Reference[] {
  if (Array.isArray(value)) return value.flatMap((each, index) => referencesIn(each, `${field}[${index}]`));
  if (!isRecord(value)) return [];
  const inner = Object.entries(value).flatMap(([key, each]) =>
    referencesIn(each, field === "" ? key : `${field}.${key}`),
  );
  const own = ownReference(value, field);
  return own === undefined ? inner : [own, ...inner];
}

function ownReference(value: Readonly<Record<string, unknown>>, field: string): Reference | undefined {
  const last = /[A-Za-z]+$/.exec(field.replace(/\[\d+\]$/, ""))?.[0] ?? "";
  if (!/Refs?$/.test(last) && last !== "refs") return undefined;
  const kind = value["kind"] ?? IMPLIED[last];
  if (typeof kind !== "string" || SELECTORS.every((key) => value[key] === undefined)) return undefined;
  const { name, labels, tags } = value as Partial<Pick<Reference, "name" | "labels" | "tags">>;
  return {
    field,
    kind,
    ...(name === undefined ? {} : { name }),
    ...(labels === undefined ? {} : { labels }),
    ...(tags === undefined ? {} : { tags }),
  };
}

const IMPLIED: Readonly<Record<string, string>> = { dataplaneRef: "Dataplane", secretRef: "Secret" };

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
