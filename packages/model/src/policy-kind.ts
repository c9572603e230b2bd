import { z } from "zod";
import { defineKind, type Kind, type PolicyTraits } from "./kind.ts";
import {
  checkMatch,
  checkTargetRef,
  type Match,
  matchSchema,
  type TargetKind,
  type TargetRef,
  targetRefSchema,
} from "./target-ref.ts";
import type { Violation } from "./violation.ts";

/** What is special about a policy; everything that all policies share is added by `policyKind`. */
export interface PolicyDeclaration<
  To extends z.ZodRawShape = z.ZodRawShape,
  From extends z.ZodRawShape = z.ZodRawShape,
  Callers extends z.ZodRawShape = z.ZodRawShape,
  Whole extends z.ZodRawShape = z.ZodRawShape,
> {
  readonly type: string;
  readonly path: string;
  readonly shortName: string;
  readonly singular: string;
  readonly plural: string;
  /** Kinds that the top `targetRef` may have. */
  readonly targets: readonly TargetKind[];
  /** Requests that leave the selected proxies. */
  readonly to?: Section<To>;
  /** Kuma 2.x: requests that come in, by who sends them. */
  readonly from?: Section<From>;
  /** Requests that come in. */
  readonly rules?: Rules<Callers>;
  /** The proxy as a whole. */
  readonly default?: WholeProxy<Whole>;
  /** One policy may have both `to` and `rules`. */
  readonly rulesBesideTo?: boolean;
  /** What sections may point at under top targets that allow less than the section itself says. */
  readonly under?: Readonly<
    Partial<Record<TargetKind, { readonly to?: readonly TargetKind[]; readonly from?: readonly TargetKind[] }>>
  >;
}

/** A list of items that each point at something. */
export interface Section<Shape extends z.ZodRawShape> {
  readonly targets: readonly TargetKind[];
  /** The fields of an item beside its `targetRef`. */
  readonly item: z.ZodObject<Shape>;
  readonly check?: ItemCheck<Shape, { readonly targetRef: TargetRef }>;
  /** What an item says without any effect, though it is allowed; told to whoever writes it. */
  readonly warn?: ItemCheck<Shape, { readonly targetRef: TargetRef }>;
}

/** A list of items that each tell which callers they mean, when the policy can tell callers apart. */
export interface Rules<Shape extends z.ZodRawShape> {
  readonly matches: boolean;
  /** The fields of an item beside its `matches`. */
  readonly item: z.ZodObject<Shape>;
  readonly check?: ItemCheck<Shape, { readonly matches?: readonly Match[] | undefined }>;
  /** What an item says without any effect, though it is allowed; told to whoever writes it. */
  readonly warn?: ItemCheck<Shape, { readonly matches?: readonly Match[] | undefined }>;
}

/** What a policy says under `default`: a single value for everything that the selected proxies do. */
export interface WholeProxy<Shape extends z.ZodRawShape> {
  readonly conf: z.ZodObject<Shape>;
  /** What is wrong with a value whose every field is right; `field` is "default". */
  readonly check?: (conf: z.infer<z.ZodObject<Shape>>, field: string, top: TargetRef) => readonly Violation[];
  /** What it says that may not do what it seems to; told to whoever writes it. */
  readonly warn?: (conf: z.infer<z.ZodObject<Shape>>, field: string) => readonly Violation[];
}

/** What is wrong with an item whose every field is right. `field` is the item's own path; `top` the policy's target. */
export type ItemCheck<Shape extends z.ZodRawShape, More> = (
  item: z.infer<z.ZodObject<Shape>> & More,
  field: string,
  top: TargetRef,
) => readonly Violation[];

interface Spec {
  readonly targetRef?: TargetRef | undefined;
  readonly to?: readonly Item[] | undefined;
  readonly from?: readonly Item[] | undefined;
  readonly rules?: readonly Rule[] | undefined;
  readonly default?: Readonly<Record<string, unknown>> | undefined;
}
interface Item {
  readonly targetRef: TargetRef;
}
interface Rule {
  readonly matches?: readonly Match[] | undefined;
}

/** Declares a kind of policy: the envelope of `targetRef`, `to`, `from` and `rules` around the policy's own fields. */
export function policyKind<
  To extends z.ZodRawShape,
  From extends z.ZodRawShape,
  Callers extends z.ZodRawShape,
  Whole extends z.ZodRawShape,
>(declaration: PolicyDeclaration<To, From, Callers, Whole>): Kind & { readonly policy: PolicyTraits } {
  const { type, path, shortName, singular, plural, targets, to, from, rules } = declaration;
  const policy = {
    targets,
    to: to?.targets ?? [],
    from: from?.targets ?? [],
    rules: rules !== undefined,
    default: declaration.default !== undefined,
  };
  // The hooks below only ever get what the schema beside them accepted, so forgetting the shapes here is sound.
  const widened = declaration as unknown as PolicyDeclaration;
  const kind = defineKind({
    type,
    path,
    shortName,
    singular,
    plural,
    policy,
    scope: "Mesh",
    shape: "plugin",
    hasStatus: true,
    schema: specSchema(widened) as z.ZodType<Spec>,
    check: (spec) => checkSpec(widened, spec),
    warn: (spec) => [...warn(spec), ...warnItems(widened, spec)],
  });
  return kind as unknown as Kind & { readonly policy: PolicyTraits };
}

function specSchema({ to, from, rules, default: whole }: PolicyDeclaration): z.ZodType {
  const ref = (what: string) => ({ targetRef: targetRefSchema.describe(what) });
  const matches = { matches: z.array(matchSchema).optional().describe("Which callers; all when absent") };
  const list = (item: z.ZodObject, what: string) => z.array(item).optional().describe(what);
  return z.strictObject({
    targetRef: targetRefSchema.optional().describe("Which proxies (all of the mesh)"),
    ...(to && { to: list(to.item.extend(ref("Which destinations")), "Requests that these proxies send") }),
    ...(from && { from: list(from.item.extend(ref("Which callers")), "Kuma 2.x: requests that come in, by caller") }),
    ...(rules && { rules: list(rules.matches ? rules.item.extend(matches) : rules.item, "Requests that come in") }),
    ...(whole && { default: whole.conf.optional().describe("What these proxies do") }),
  });
}

function checkSpec(declaration: PolicyDeclaration, spec: Spec): Violation[] {
  const top: TargetRef = spec.targetRef ?? { kind: "Mesh" };
  return [
    ...(spec.targetRef === undefined ? [] : checkTargetRef(spec.targetRef, declaration.targets, "targetRef")),
    ...checkSections(declaration, spec),
    ...checkSectionName(top, spec),
    ...checkItems(declaration, "to", spec.to, top),
    ...checkItems(declaration, "from", spec.from, top),
    ...(spec.rules ?? []).flatMap((rule, index) => checkRule(declaration, rule, `rules[${index}]`, top)),
    ...(spec.default === undefined ? [] : (declaration.default?.check?.(spec.default as never, "default", top) ?? [])),
  ];
}

function checkRule({ rules }: PolicyDeclaration, rule: Rule, field: string, top: TargetRef): readonly Violation[] {
  const wrong = (rule.matches ?? []).flatMap((match, index) => checkMatch(match, `${field}.matches[${index}]`));
  return [...wrong, ...(rules?.check?.(rule as never, field, top) ?? [])];
}

function checkSections(declaration: PolicyDeclaration, spec: Spec): Violation[] {
  const known = (["to", "rules", "from"] as const).filter((section) => declaration[section] !== undefined);
  const used = known.filter((section) => (spec[section]?.length ?? 0) > 0);
  if (used.length === 0 && spec.default === undefined) {
    if (declaration.default === undefined)
      return [{ field: "", message: `must have at least one item in ${known.join(" or ")}` }];
    return [{ field: "default", message: ["must be set", ...known.map((section) => `or ${section}`)].join(", ") }];
  }
  if (used.length === 1 || !used.includes("rules")) return [];
  const refused = declaration.rulesBesideTo === true ? ["from"] : ["to", "from"];
  const others = used.filter((section) => refused.includes(section)).join(" and ");
  if (others === "") return [];
  return [{ field: "rules", message: `must not stand beside ${others}: write a policy of its own for each` }];
}

// Narrowing to one port of the application only means something for requests that come in.
function checkSectionName(top: TargetRef, spec: Spec): Violation[] {
  if (top.kind !== "Dataplane" || top.sectionName === undefined || (spec.to?.length ?? 0) === 0) return [];
  return [
    { field: "targetRef.sectionName", message: "must not be set with to: it selects a port that requests come in by" },
  ];
}

function checkItems(
  declaration: PolicyDeclaration,
  name: "to" | "from",
  items: readonly Item[] = [],
  top: TargetRef,
): Violation[] {
  const section = declaration[name];
  if (section === undefined) return [];
  const targets = declaration.under?.[top.kind]?.[name] ?? section.targets;
  if (targets.length === 0 && items.length > 0) {
    return [{ field: name, message: `must not be set when targetRef.kind is ${top.kind}` }];
  }
  return items.flatMap((item, index) => {
    const field = `${name}[${index}]`;
    const wrong = checkTargetRef(item.targetRef, targets, `${field}.targetRef`);
    return [...wrong, ...(section.check?.(item as never, field, top) ?? [])];
  });
}

const SUPERSEDED: Readonly<Partial<Record<TargetKind, string>>> = {
  MeshSubset: "Dataplane with labels",
  MeshService: "Dataplane with labels",
  MeshServiceSubset: "Dataplane with labels",
  MeshHTTPRoute: "a MeshHTTPRoute under to[].targetRef",
};

function warn({ targetRef, from }: Spec): string[] {
  const better = targetRef && SUPERSEDED[targetRef.kind];
  return [
    ...(better === undefined
      ? []
      : [`spec.targetRef.kind: ${targetRef?.kind} is read as Kuma 2.x does; Kuma 3.x has ${better} instead`]),
    ...(targetRef?.kind === "MeshGateway" ? ["spec.targetRef.kind: MeshGateway selects builtin gateways only"] : []),
    ...((from?.length ?? 0) === 0 ? [] : ['spec.from: is read as Kuma 2.x does; Kuma 3.x has "rules" instead']),
  ];
}

function warnItems(declaration: PolicyDeclaration, spec: Spec): string[] {
  const top: TargetRef = spec.targetRef ?? { kind: "Mesh" };
  const warnings = (["to", "from", "rules"] as const).flatMap((name) =>
    (spec[name] ?? []).flatMap(
      (item, index) => declaration[name]?.warn?.(item as never, `${name}[${index}]`, top) ?? [],
    ),
  );
  const whole = spec.default === undefined ? [] : (declaration.default?.warn?.(spec.default as never, "default") ?? []);
  return [...warnings, ...whole].map(({ field, message }) => `spec.${field}: ${message}`);
}
