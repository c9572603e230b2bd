import type { Kind } from "@heddle/model/kind.ts";
import { LABEL } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";

const CLUSTER_SCOPED: ReadonlySet<string> = new Set(["Mesh", "Zone", "ZoneInsight", "MeshInsight", "ServiceInsight"]);
const SECRET_TYPES: Readonly<Record<string, string>> = {
  Secret: "system.kuma.io/secret",
  GlobalSecret: "system.kuma.io/global-secret",
};

/** A resource as the object it is on Kubernetes; `namespace` wins over the one in its labels. */
export function kubernetesForm(kind: Kind, resource: Resource, namespace?: string): Record<string, unknown> {
  const metadata = metadataOf(kind, resource, namespace ?? resource.labels[LABEL.namespace]);
  const secretType = SECRET_TYPES[kind.type];
  if (secretType !== undefined) {
    const { data = "" } = resource.spec as { readonly data?: string };
    return { apiVersion: "v1", kind: "Secret", type: secretType, metadata, data: { value: data } };
  }
  return {
    apiVersion: "kuma.io/v1alpha1",
    kind: kind.type,
    // The oldest kinds say their mesh at the top level, the others by label.
    ...(kind.shape === "core" && kind.scope === "Mesh" ? { mesh: resource.mesh } : {}),
    metadata,
    spec: resource.spec,
    ...(resource.status === undefined ? {} : { status: resource.status }),
  };
}

function metadataOf(kind: Kind, resource: Resource, namespace: string | undefined): Record<string, unknown> {
  const labels = kind.scope === "Mesh" ? { ...resource.labels, [LABEL.mesh]: resource.mesh } : resource.labels;
  return {
    name: resource.name,
    ...(namespace === undefined || CLUSTER_SCOPED.has(kind.type) ? {} : { namespace }),
    creationTimestamp: resource.creationTime,
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
  };
}
