import type { NewResource, Resource, ResourceKey } from "@heddle/model/resource.ts";
import type { Violation } from "@heddle/model/violation.ts";
import type { Reader } from "../ports.ts";
import { type Judge, judgeDelete, judgePut } from "./judge.ts";
import { Overlay } from "./overlay.ts";

/** What would become of one document of a plan. */
export interface PlannedDocument {
  readonly type: string;
  readonly mesh: string;
  readonly name: string;
  readonly outcome: "created" | "updated" | "unchanged" | "deleted" | "invalid";
  readonly violations: readonly Violation[];
  readonly warnings: readonly string[];
}

/** A plan: what each document would do, and the writes that would be left to do. */
export interface Plan {
  readonly documents: readonly PlannedDocument[];
  readonly puts: readonly NewResource[];
  readonly deletes: readonly ResourceKey[];
}

/** What somebody wants to know the effect of. */
export interface PlanRequest {
  readonly documents: readonly unknown[];
  readonly deletes: readonly ResourceKey[];
}

/**
 * Judges documents in order, each as if those before it were written: a policy may come after its mesh in one plan. The
 * same judgement as a PUT's, and nothing is written.
 */
export async function planWrites(judge: Judge, read: Reader, request: PlanRequest, now: Date): Promise<Plan> {
  const overlay = new Overlay(read);
  const documents: PlannedDocument[] = [];
  const puts: NewResource[] = [];
  const deletes: ResourceKey[] = [];
  for (const raw of request.documents) {
    const planned = await planPut(judge, overlay, raw);
    documents.push(planned.document);
    if (planned.resource === undefined) continue;
    overlay.put(planned.resource, planned.previous, now);
    puts.push(planned.resource);
  }
  for (const key of request.deletes) {
    const document = await planDelete(judge, overlay, key);
    documents.push(document);
    if (document.outcome !== "deleted") continue;
    overlay.delete(key);
    deletes.push(key);
  }
  return { documents, puts, deletes };
}

interface PlannedPut {
  readonly document: PlannedDocument;
  /** Set when something would be written. */
  readonly resource?: NewResource;
  readonly previous?: Resource | undefined;
}

async function planPut(judge: Judge, read: Reader, raw: unknown): Promise<PlannedPut> {
  const judgement = await judgePut(judge, read, raw, {});
  if (judgement.outcome === "invalid") return { document: wrong(namedIn(raw), judgement.violations) };
  if (judgement.outcome === "refused") {
    return { document: wrong(namedIn(raw), [{ field: "type", message: judgement.detail }]) };
  }
  const { resource, previous, outcome, warnings } = judgement;
  const { type, mesh, name } = resource;
  if (mesh !== "" && (await read.get({ type: "Mesh", mesh: "", name: mesh })) === undefined) {
    return { document: wrong(resource, [noMesh(mesh)]) };
  }
  const document: PlannedDocument = { type, mesh, name, outcome, violations: [], warnings };
  return outcome === "unchanged" ? { document } : { document, resource, previous };
}

async function planDelete(judge: Judge, read: Reader, key: ResourceKey): Promise<PlannedDocument> {
  const kind = judge.kinds.byType(key.type);
  const previous = await read.get(key);
  if (kind === undefined || previous === undefined) {
    return wrong(key, [{ field: "name", message: `there is no ${key.type} "${key.name}" to delete` }]);
  }
  const verdict = await judgeDelete(judge, read, kind, previous);
  if (verdict.outcome === "invalid") return wrong(key, verdict.violations);
  if (verdict.outcome === "refused") return wrong(key, [{ field: "type", message: verdict.detail }]);
  return { ...keyOf(key), outcome: "deleted", violations: [], warnings: verdict.warnings };
}

function wrong(key: ResourceKey, violations: readonly Violation[]): PlannedDocument {
  return { ...keyOf(key), outcome: "invalid", violations, warnings: [] };
}

function noMesh(mesh: string): Violation {
  return { field: "mesh", message: `there is no mesh "${mesh}"; put it before this document, or create it first` };
}

function keyOf({ type, mesh, name }: ResourceKey): ResourceKey {
  return { type, mesh, name };
}

/** What a broken document calls itself, as far as it says so. */
function namedIn(raw: unknown): ResourceKey {
  const { type, mesh, name } = (raw ?? {}) as Readonly<Record<string, unknown>>;
  const text = (value: unknown): string => (typeof value === "string" ? value.slice(0, 253) : "");
  return { type: text(type), mesh: text(mesh), name: text(name) };
}
