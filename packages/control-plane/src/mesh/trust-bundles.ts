import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";

/**
 * The authorities of each trust domain of a mesh, PEM one after the other. Those of Mesh.mtls (`meshPem`) are of the
 * domain that is called like the mesh.
 */
export function trustBundles(snapshot: MeshSnapshot, meshPem: string): ReadonlyMap<string, string> {
  const bundles = new Map<string, string>();
  if (meshPem !== "") bundles.set(snapshot.mesh.name, meshPem.trim());
  for (const { spec } of snapshot.trusts.values()) {
    const pem = spec.caBundles.map((bundle) => bundle.pem.value.trim()).join("\n");
    bundles.set(spec.trustDomain, [bundles.get(spec.trustDomain), pem].filter((text) => text !== undefined).join("\n"));
  }
  return bundles;
}
