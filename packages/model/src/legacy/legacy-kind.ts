import type { z } from "zod";
import type { Kind, PolicyTraits } from "../kind.ts";
import type { MeshSpec } from "../kinds/mesh.ts";
import type { TargetRef } from "../target-ref.ts";
import type { Violation } from "../violation.ts";
import { type Connections, destinationOf, rankOf, type Rank, type Selector, targetOf } from "./selector.ts";

/** Where a policy of Kuma 2.x is translated: what it is called, and the mesh whose backends it may name. */
export interface TranslationContext {
  readonly name: string;
  readonly mesh: { readonly name: string; readonly spec: MeshSpec };
}

/** A policy of today that does what one of Kuma 2.x says. */
export interface TranslatedPolicy {
  readonly type: string;
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>> & { readonly targetRef?: TargetRef };
  /** How much the selector says that became its `targetRef`. */
  readonly rank: Rank;
  /** The same for each item of its `to`, `from` or `rules`. */
  readonly itemRanks: readonly Rank[];
  /** It only says that nothing is to be done, and thereby keeps policies that say less out. Users need not write it. */
  readonly inert?: boolean;
}

/** What a resource of Kuma 2.x is in today's kinds. */
export interface Translation {
  readonly policies: readonly TranslatedPolicy[];
  /** What today's kinds cannot say, or say a little differently. */
  readonly notes: readonly string[];
}

/** What is special about a kind of Kuma 2.x that lives on as other kinds. */
export interface LegacyTraits<Spec = unknown> {
  /** Kinds that it may become. */
  readonly becomes: readonly string[];
  readonly translate: (spec: Spec, context: TranslationContext) => Translation;
  /** Who carries it out: those who send requests, those who get them, or a proxy as a whole. */
  readonly side: "client" | "server" | "proxy";
  /** "one": of all policies that mean a request the most specific counts; "all": all do, the most specific first. */
  readonly choice: "one" | "all";
  /** Stays in force where a policy of the kind that it becomes is there as well. */
  readonly staysBeside?: boolean;
  /** Its translation depends on the Mesh. */
  readonly readsMesh?: boolean;
}

export interface LegacyKind<Spec = unknown> extends Kind<Spec> {
  readonly legacy: LegacyTraits<Spec>;
}

/** The parts in which the kinds of Kuma 2.x differ from each other. */
export interface LegacyDeclaration<Spec> {
  readonly type: string;
  readonly path: string;
  readonly pathAliases?: readonly string[];
  readonly shortName: string;
  readonly singular: string;
  readonly plural: string;
  /** False for what is no policy: a service. */
  readonly isPolicy?: boolean;
  readonly schema: z.ZodType<Spec>;
  readonly check: (spec: Spec) => readonly Violation[];
  readonly legacy: LegacyTraits<Spec>;
}

/** Declares a kind of Kuma 2.x. */
export function legacyKind<Spec>({ isPolicy = true, ...kind }: LegacyDeclaration<Spec>): LegacyKind {
  const policy: PolicyTraits = { targets: [], to: [], from: [], rules: false, default: false };
  // What a kind's functions get has passed its own schema, so forgetting the shape here is sound.
  return { ...kind, scope: "Mesh", shape: "core", ...(isPolicy && { policy }) } as unknown as LegacyKind;
}

/** One policy for each source, with an item for each destination: what clients carry out. */
export function clientSide(
  { sources, destinations }: Connections,
  { name, type, item }: { readonly name: string; readonly type: string; readonly item: object },
): readonly TranslatedPolicy[] {
  return sources.map((source, index) => ({
    type,
    name: numbered(name, index),
    spec: {
      ...topOf(source),
      to: destinations.map((destination) => ({ targetRef: destinationOf(destination), ...item })),
    },
    rank: rankOf(source),
    itemRanks: destinations.map(rankOf),
  }));
}

/** The `targetRef` that a selector becomes; none when it means every proxy. */
export function topOf(selector: Selector): { readonly targetRef?: TargetRef } {
  const targetRef = targetOf(selector);
  return targetRef.kind === "Mesh" ? {} : { targetRef };
}

/** A policy of today has one `targetRef`, so that a list of selectors takes several policies. */
export function numbered(name: string, index: number): string {
  return index === 0 ? name : `${name}-${index + 1}`;
}

/** An object without the fields that nobody set. */
export function compact(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The same; undefined when nothing is left. */
export function compactOrNothing(fields: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  const left = compact(fields);
  return Object.keys(left).length === 0 ? undefined : left;
}
