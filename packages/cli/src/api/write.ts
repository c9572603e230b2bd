import { record, texts } from "../json.ts";
import type { Answer, Api } from "./api.ts";
import { addressPath, addressText, type Address } from "./resource-types.ts";

/** What a write did to a resource. */
export type WriteOutcome = "created" | "updated" | "unchanged" | "deleted";

export interface Written {
  readonly outcome: WriteOutcome;
  /** Store revision of the write; unset when nothing was written, or when the control plane tells none. */
  readonly revision: number | undefined;
  readonly warnings: readonly string[];
}

/** Creates or replaces a resource. */
export async function putResource(api: Api, address: Address, body: unknown): Promise<Written> {
  const path = addressPath(address);
  const answer = await api.call({ method: "PUT", path, body, action: `apply ${addressText(address)}` });
  return { ...readAnswer(answer, answer.status === 201 ? "created" : "updated"), warnings: warningsIn(answer.text) };
}

/** Deletes a resource; one that is not there is an error. */
export async function deleteResource(api: Api, address: Address): Promise<Written> {
  const path = addressPath(address);
  const answer = await api.call({ method: "DELETE", path, action: `delete ${addressText(address)}` });
  return { ...readAnswer(answer, "deleted"), warnings: warningsIn(answer.text) };
}

// Kuma tells neither outcome nor revision: the status is all there is then.
function readAnswer({ headers }: Answer, otherwise: WriteOutcome): Omit<Written, "warnings"> {
  const outcome = headers["heddle-outcome"] === "unchanged" ? "unchanged" : otherwise;
  const revision = Number(headers["heddle-revision"] ?? Number.NaN);
  return { outcome, revision: outcome === "unchanged" || Number.isNaN(revision) ? undefined : revision };
}

function warningsIn(body: string): readonly string[] {
  try {
    return texts(record(JSON.parse(body))["warnings"]);
  } catch {
    return [];
  }
}
