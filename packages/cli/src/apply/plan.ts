import type { Violation } from "@heddle/model/violation.ts";
import type { Api } from "../api/api.ts";
import { RefusedError, violationsOf } from "../api/explain-refusal.ts";
import { CliError } from "../cli-error.ts";
import { record, records, text, texts } from "../json.ts";

/** What would happen to one resource. */
export interface PlannedDocument {
  readonly type: string;
  readonly mesh: string;
  readonly name: string;
  readonly outcome: "created" | "updated" | "unchanged" | "deleted" | "invalid";
  readonly violations: readonly Violation[];
  readonly warnings: readonly string[];
}

/** One operation of a JSON Patch, https://www.rfc-editor.org/rfc/rfc6902. */
export interface PatchOperation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

export interface ResourceChange {
  readonly typeUrl: string;
  readonly name: string;
  readonly change: "added" | "changed" | "removed";
  readonly patch: readonly PatchOperation[];
}

/** What would change at one proxy. */
export interface PlannedProxy {
  readonly mesh: string;
  readonly name: string;
  readonly changes: readonly ResourceChange[];
}

/** What writes would do; nothing is written. */
export interface Plan {
  readonly documents: readonly PlannedDocument[];
  readonly proxies: readonly PlannedProxy[];
}

/** Asks the control plane what documents would do, with the changes of every proxy's configuration if `diff` is set. */
export async function askPlan(api: Api, documents: readonly unknown[], diff: boolean): Promise<Plan> {
  try {
    const body = { documents, deletes: [], diff };
    return parsePlan(await api.json({ method: "POST", path: "/plan", body, action: "plan the change" }));
  } catch (error) {
    if (!(error instanceof RefusedError) || error.status !== 404) throw error;
    throw new CliError(`Cannot plan the change: the control plane at ${api.address} computes no plans`, {
      next: ["It is another product or an older version; see: heddle version"],
      cause: error,
    });
  }
}

/** Reads the answer of `POST /plan`. */
export function parsePlan(answer: unknown): Plan {
  const plan = record(answer);
  return {
    documents: records(plan["documents"]).map((entry) => ({
      type: text(entry["type"]) ?? "",
      mesh: text(entry["mesh"]) ?? "",
      name: text(entry["name"]) ?? "",
      outcome: (text(entry["outcome"]) ?? "invalid") as PlannedDocument["outcome"],
      violations: violationsOf(entry),
      warnings: texts(entry["warnings"]),
    })),
    proxies: records(plan["proxies"]).map((entry) => ({
      mesh: text(entry["mesh"]) ?? "",
      name: text(entry["name"]) ?? "",
      changes: records(entry["changes"]).map(parseChange),
    })),
  };
}

function parseChange(entry: Readonly<Record<string, unknown>>): ResourceChange {
  return {
    typeUrl: text(entry["typeUrl"]) ?? "",
    name: text(entry["name"]) ?? "",
    change: (text(entry["change"]) ?? "changed") as ResourceChange["change"],
    patch: records(entry["patch"]).map((operation) => ({
      op: text(operation["op"]) ?? "",
      path: text(operation["path"]) ?? "",
      ...("value" in operation ? { value: operation["value"] } : {}),
    })),
  };
}
