import type { z } from "zod";
import type { TargetKind } from "./target-ref.ts";
import type { Violation } from "./violation.ts";

/** One kind of resource: its name in every surface, and the shape users write. */
export interface Kind<Spec = unknown> {
  readonly type: string;
  /** Path segment in the REST API. */
  readonly path: string;
  /** Other path segments that mean the same. */
  readonly pathAliases?: readonly string[];
  /** In KRIs and on the command line; kinds without one have no KRI. */
  readonly shortName?: string;
  readonly scope: "Mesh" | "Global";
  /** "core": the spec's fields stand at the top level of the JSON, as in Kuma's oldest kinds. "plugin": under `spec`. */
  readonly shape: "core" | "plugin";
  readonly singular: string;
  readonly plural: string;
  readonly schema: z.ZodType<Spec>;
  /** What no single field can tell: exclusive fields, references between fields. Paths start at the spec itself. */
  check?(spec: Spec): readonly Violation[];
  /** What is accepted and yet likely not meant, or deprecated; shown after a write. */
  warn?(spec: Spec): readonly string[];
  /** Written by the control plane alone. */
  readonly readOnly?: boolean;
  /** Holds secret material: admins only, and never in dumps. */
  readonly secret?: boolean;
  /** Changes with every connection and heals itself: written with relaxed durability. */
  readonly volatile?: boolean;
  readonly hasStatus?: boolean;
  /** Names are RFC 1035 labels of at most 63 characters, because they end up in host names. */
  readonly nameIsLabel?: boolean;
  readonly policy?: PolicyTraits;
}

/** Where a policy may point and which sections it has. Empty lists: the section does not exist. */
export interface PolicyTraits {
  readonly targets: readonly TargetKind[];
  readonly to: readonly TargetKind[];
  readonly from: readonly TargetKind[];
  readonly rules: boolean;
  /** Has a `default` for the proxy as a whole. */
  readonly default: boolean;
}

/** All kinds of one product, found by type or by path. */
export interface KindRegistry {
  readonly all: readonly Kind[];
  byType(type: string): Kind | undefined;
  byPath(path: string): Kind | undefined;
  byShortName(shortName: string): Kind | undefined;
}

/** Builds the lookup tables over a list of kinds. */
export function kindRegistry(kinds: readonly Kind[]): KindRegistry {
  const all = kinds.toSorted((a, b) => (a.type < b.type ? -1 : 1));
  const types = new Map(all.map((kind) => [kind.type, kind]));
  const paths = new Map(all.flatMap((kind) => [kind.path, ...(kind.pathAliases ?? [])].map((path) => [path, kind])));
  const shortNames = new Map(all.flatMap((kind) => (kind.shortName === undefined ? [] : [[kind.shortName, kind]])));
  return {
    all,
    byType: (type) => types.get(type),
    byPath: (path) => paths.get(path),
    byShortName: (shortName) => shortNames.get(shortName),
  };
}

/** Declares a kind; the type of the spec follows from the schema. */
export function defineKind<Spec>(kind: Kind<Spec>): Kind<Spec> {
  return kind;
}
