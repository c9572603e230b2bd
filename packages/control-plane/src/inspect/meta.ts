import type { KriOrigin, Meta, Origin as MetaOrigin } from "@heddle/api/reports.ts";
import { metaOf } from "@heddle/api/resources/present.ts";
import type { Origin } from "@heddle/engine/plan/plan.ts";
import { writtenPolicy } from "@heddle/engine/snapshot/legacy.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import type { KindRegistry } from "@heddle/model/kind.ts";
import type { Resource } from "@heddle/model/resource.ts";

/** How answers name the resources of one mesh. */
export class Metas {
  readonly #snapshot: MeshSnapshot;
  readonly #kinds: KindRegistry;

  constructor(snapshot: MeshSnapshot, kinds: KindRegistry) {
    this.#snapshot = snapshot;
    this.#kinds = kinds;
  }

  of(resource: Resource): Meta {
    const kind = this.#kinds.byType(resource.type);
    const { type, mesh, name, labels } = resource;
    return kind === undefined ? { type, mesh, name, labels } : metaOf(kind, resource);
  }

  /** The policy that something comes from. */
  ofOrigin({ type, mesh, name, kri }: Origin): Meta {
    const policy = writtenPolicy(this.#snapshot, { type, name });
    return policy === undefined ? { type, mesh, name, labels: {}, kri } : this.of(policy);
  }

  /** The policy and the rule in it that something comes from. */
  origin(origin: Origin): MetaOrigin {
    return { resourceMeta: this.ofOrigin(origin), ruleIndex: origin.rule };
  }
}

/** The policies that something comes from, each once. */
export function kriOrigins(origins: readonly Origin[]): readonly KriOrigin[] {
  return [...new Set(origins.map(({ kri }) => kri))].map((kri) => ({ kri }));
}

/** The identifier of one rule of a policy: "kri_mt_default___slow_rule_0". */
export function ruleKri({ kri, rule }: Origin): string {
  return `${kri}rule_${rule}`;
}
