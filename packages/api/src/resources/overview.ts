import type { Kind } from "@heddle/model/kind.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { Reader } from "../ports.ts";
import { kriText } from "./present.ts";

/** A kind whose resources are shown together with what is known of them. */
export interface Overview {
  readonly type: string;
  readonly insightType: string;
  /** Field that holds the resource, and field that holds the insight. */
  readonly fields: readonly [own: string, insight: string];
  /** Kuma 2.x: paths with this instead of the kind's segment. */
  readonly legacyPath: string;
}

/** The kinds that have an overview, by type. */
export const OVERVIEWS: Readonly<Record<string, Overview>> = {
  Dataplane: {
    type: "DataplaneOverview",
    insightType: "DataplaneInsight",
    fields: ["dataplane", "dataplaneInsight"],
    legacyPath: "dataplanes+insights",
  },
  Zone: {
    type: "ZoneOverview",
    insightType: "ZoneInsight",
    fields: ["zone", "zoneInsight"],
    legacyPath: "zones+insights",
  },
};

/** A resource merged with its insight; without one the insight is empty. */
export async function overviewOf(read: Reader, kind: Kind, resource: Resource): Promise<Record<string, unknown>> {
  const overview = OVERVIEWS[kind.type];
  if (overview === undefined) throw new RangeError(`Cannot show an overview of ${kind.type}: it has no insight`);
  const { mesh, name } = resource;
  const insight = await read.get({ type: overview.insightType, mesh, name });
  const [own, known] = overview.fields;
  const kri = kriText(kind, resource);
  return {
    type: overview.type,
    ...(mesh === "" ? {} : { mesh }),
    name,
    creationTime: resource.creationTime,
    modificationTime: resource.modificationTime,
    labels: resource.labels,
    ...(kri === undefined ? {} : { kri }),
    [own]: resource.spec,
    [known]: insight?.spec ?? {},
  };
}
