import { type DataplaneSpec, tagSets } from "@heddle/model/kinds/dataplane.ts";
import type { MeshServiceSpec } from "@heddle/model/kinds/mesh-service.ts";
import { displayName, matchesLabels } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";

/** Whether a proxy is one that the selector of a MeshService means. No selector means none. */
export function selectsProxy({ selector }: MeshServiceSpec, proxy: Resource): boolean {
  const { dataplaneRef, dataplaneLabels, dataplaneTags } = selector ?? {};
  if (dataplaneRef !== undefined) return [proxy.name, displayName(proxy)].includes(dataplaneRef.name);
  if (dataplaneLabels !== undefined) return matchesLabels(dataplaneLabels.matchLabels, proxy.labels);
  if (dataplaneTags === undefined) return false;
  return tagSets(proxy.spec as DataplaneSpec).some((tags) => matchesLabels(dataplaneTags, tags));
}
