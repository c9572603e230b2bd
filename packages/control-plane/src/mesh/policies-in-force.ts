import type { MeshChange } from "@heddle/engine/snapshot/apply-changes.ts";
import { writtenPolicy } from "@heddle/engine/snapshot/legacy.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import { canonicalJson } from "@heddle/model/canonical-json.ts";
import { contentOf, inForce } from "@heddle/model/roll-out-status.ts";

/**
 * What a change of the store means for the mesh: a policy that proxies refused stands for what it replaced. Nothing when
 * only the status of a policy changed.
 */
export function effectOf(change: MeshChange, snapshot: MeshSnapshot): readonly MeshChange[] {
  if (change.what !== "put" || change.resource.status === undefined) return [change];
  const now = writtenPolicy(snapshot, change.resource);
  const wanted = inForce(change.resource);
  if (wanted === undefined) return now === undefined ? [] : [{ what: "delete", resource: now }];
  const isKnown = now !== undefined && contentOf(now) === contentOf(wanted);
  if (change.resource.type !== "MeshExternalService") return isKnown ? [] : [{ what: "put", resource: wanted }];
  // Its addresses are in its status, whatever became of its content.
  const { status } = change.resource;
  const isSame = isKnown && canonicalJson(now.status) === canonicalJson(status);
  return isSame ? [] : [{ what: "put", resource: { ...wanted, status } }];
}
