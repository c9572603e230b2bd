import type { Kind } from "@heddle/model/kind.ts";

/** The kind that `isWanted` finds, or every kind there is. Policies load last and only when needed: they bring the engine. */
export async function findKindWhere(
  isWanted: (kind: Kind) => boolean,
): Promise<{ readonly kind: Kind } | { readonly all: readonly Kind[] }> {
  const { CORE_KINDS } = await import("@heddle/model/kinds/index.ts");
  const core = CORE_KINDS.find(isWanted);
  if (core !== undefined) return { kind: core };
  const { policies } = await import("@heddle/policies/index.ts");
  const all = [...CORE_KINDS, ...policies.map(({ kind }) => kind as Kind)];
  const kind = all.find(isWanted);
  return kind === undefined ? { all } : { kind };
}
