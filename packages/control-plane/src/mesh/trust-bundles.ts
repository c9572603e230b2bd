import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";

/** The authorities of each trust domain of a mesh, PEM one after the other. */
export function trustBundles(snapshot: MeshSnapshot): ReadonlyMap<string, string> {
  const bundles = new Map<string, string>();
  for (const { spec } of snapshot.trusts.values()) {
    const pem = spec.caBundles.map((bundle) => bundle.pem.value.trim()).join("\n");
    bundles.set(spec.trustDomain, [bundles.get(spec.trustDomain), pem].filter((text) => text !== undefined).join("\n"));
  }
  return bundles;
}
