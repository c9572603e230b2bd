import { pointsAt, type Selected } from "@heddle/engine/match/match.ts";
import type { Conflict } from "@heddle/engine/plan/plan.ts";
import { asWritten } from "@heddle/engine/snapshot/legacy.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import type { TargetRef } from "@heddle/model/target-ref.ts";
import type { Subject } from "./subject.ts";
import { tagsOf } from "./subsets.ts";
import { destinationsOf, ELSEWHERE, routesOf } from "./to-resource-rules.ts";

/** What is likely not meant about policies of one kind, such as references to nothing and settings that gave way. */
export function warningsOf(subject: Subject, selected: Selected): readonly string[] {
  return [
    ...danglingReferences(subject.snapshot, selected),
    ...conflicts(subject, selected),
    ...own(subject, selected),
  ];
}

function danglingReferences(mesh: MeshSnapshot, { policies }: Selected): readonly string[] {
  return policies.flatMap(({ resource }) =>
    (resource.spec.to ?? []).flatMap(({ targetRef }, index) => {
      if (targetRef === undefined || leadsSomewhere(mesh, targetRef)) return [];
      const written = asWritten(resource);
      const field = written === resource ? `to[${index}].targetRef` : `destinations[${index}]`;
      return [`${written.type} "${written.name}": ${field} names ${shown(targetRef)}, which does not exist`];
    }),
  );
}

function leadsSomewhere(mesh: MeshSnapshot, ref: TargetRef): boolean {
  switch (ref.kind) {
    case "Mesh":
      return true;
    case "MeshHTTPRoute":
      return routesOf(mesh, ref).length > 0;
    case "MeshServiceSubset":
      return mesh.views.has(`Service/${ref.name}`);
    default:
      return pointsAt(ref, ELSEWHERE, undefined) || destinationsOf(mesh).some((each) => pointsAt(ref, each, undefined));
  }
}

function conflicts({ compiled }: Subject, { policy }: Selected): readonly string[] {
  const all: readonly Conflict[] = [...compiled.inbounds, ...compiled.outbounds].flatMap((unit) => unit.conflicts);
  return all
    .filter(({ dropped }) => dropped.kind === policy.kind.type)
    .map(({ unit, slot, kept, dropped }) => {
      const from = dropped.origins.map(({ name }) => `"${name}"`).join(", ");
      return `${unit}: ${slot} of ${dropped.kind} ${from} gave way to ${kept.kind}`;
    });
}

function own({ compiled: { whole } }: Subject, { policy }: Selected): readonly string[] {
  return whole.warnings.filter(({ kind }) => kind === policy.kind.type).map(({ warning }) => warning);
}

function shown(ref: TargetRef): string {
  const section = ref.sectionName === undefined ? "" : ` port ${ref.sectionName}`;
  return `${ref.kind} ${ref.name ?? JSON.stringify(ref.labels ?? tagsOf(ref))}${section}`;
}
