import { RefusedError } from "../api/explain-refusal.ts";
import type { Rollout } from "../api/rollout.ts";
import type { Applied } from "../apply/apply-documents.ts";
import { addressText } from "../api/resource-types.ts";
import type { Paint, Style } from "./paint.ts";

const STYLES: Readonly<Record<Applied["outcome"], Style>> = {
  created: "green",
  updated: "green",
  unchanged: "dim",
  deleted: "yellow",
  failed: "red",
};

/** One line for a document: what became of it, its type, mesh and name. */
export function renderApplied({ outcome, type, document }: Applied, paint: Paint): string {
  const title = type === undefined ? `${document.type} ${document.name}` : addressText({ ...document, type });
  return `${paint(STYLES[outcome], outcome.padEnd("unchanged".length))} ${title}`;
}

/** The whole of an apply for programs. */
export function appliedData(all: readonly Applied[], rollout: Rollout | undefined): unknown {
  return {
    documents: all.map((applied) => ({
      type: applied.document.type,
      mesh: applied.document.mesh,
      name: applied.document.name,
      place: applied.document.place,
      outcome: applied.outcome,
      ...(applied.outcome === "failed" ? { error: errorData(applied.error) } : { warnings: applied.warnings }),
    })),
    ...(rollout === undefined ? {} : { rollout }),
  };
}

function errorData(error: Error): unknown {
  return { message: error.message, violations: error instanceof RefusedError ? error.violations : [] };
}
