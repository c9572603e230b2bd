import { pemCertificates } from "@heddle/identity/pem-certificates.ts";
import type { MeshTrustSpec } from "@heddle/model/kinds/mesh-identity.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { type Store, StoreError } from "@heddle/model/store.ts";

type Bundles = MeshTrustSpec["caBundles"];

/** The bundles with a root in them; the same when it is there. */
export function withRoot(bundles: Bundles, pem: string): Bundles {
  return hasRoot(bundles, pem) ? bundles : [...bundles, { type: "Pem", pem: { value: pem } }];
}

/** The bundles without some roots; the same when none of them is there, or nothing else is. */
export function withoutRoots(bundles: Bundles, gone: readonly string[]): Bundles {
  if (!gone.some((pem) => hasRoot(bundles, pem))) return bundles;
  const left = bundles.flatMap((bundle): Bundles => {
    const all = pemCertificates(bundle.pem.value);
    const kept = all.filter((pem) => !gone.includes(pem));
    if (kept.length === all.length) return [bundle];
    return kept.length === 0 ? [] : [{ ...bundle, pem: { value: kept.join("") } }];
  });
  return left.length === 0 ? bundles : left;
}

/** Whether a root is in one of the bundles. */
export function hasRoot(bundles: Bundles, pem: string): boolean {
  return bundles.some((bundle) => pemCertificates(bundle.pem.value).includes(pem));
}

/** Changes the bundles of a MeshTrust in the store, whoever else writes it at the same time. Nothing when it is not there. */
export async function changeBundles(
  store: Store,
  key: { readonly mesh: string; readonly name: string },
  change: (bundles: Bundles) => Bundles,
): Promise<void> {
  await changeStored<MeshTrustSpec>(store, { type: "MeshTrust", ...key }, (spec) => {
    const caBundles = change(spec.caBundles);
    return caBundles === spec.caBundles ? spec : { ...spec, caBundles };
  });
}

/** Reads a resource, changes it and stores it, again and again until nobody else wrote it meanwhile. */
export async function changeStored<Spec>(
  store: Store,
  key: { readonly type: string; readonly mesh: string; readonly name: string },
  change: (spec: Spec) => Spec,
): Promise<void> {
  for (;;) {
    const stored = (await store.get(key)) as Resource<Spec> | undefined;
    if (stored === undefined) return;
    const spec = change(stored.spec);
    if (spec === stored.spec) return;
    try {
      await store.update({ ...stored, spec }, stored.version);
      return;
    } catch (error) {
      if (!(error instanceof StoreError) || (error.code !== "conflict" && error.code !== "not_found")) throw error;
    }
  }
}
