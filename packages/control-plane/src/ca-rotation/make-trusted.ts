import type { MeshIdentitySpec } from "@heddle/model/kinds/mesh-identity.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { rootsOf } from "./begin.ts";
import type { RotatedMesh, RotationOptions } from "./options.ts";
import type { CaRotation } from "./record.ts";
import { changeBundles, hasRoot, withRoot } from "./trusted-bundles.ts";

/** Makes a mesh trust the new authority; says what is missing for that, undefined once it does. */
export async function makeTrusted(
  options: RotationOptions,
  at: RotatedMesh,
  { rotated, newRoots }: CaRotation,
): Promise<string | undefined> {
  switch (rotated.what) {
    case "root":
      return await trustRoots(options, at, newRoots);
    case "backend":
      return whyBackendCannot(options, at.place.mesh, rotated.to);
    case "identity":
      return await trustIdentity(options, at, { name: rotated.identity, root: newRoots.join("") });
  }
}

/** Whether the control plane makes the MeshTrust of an identity. */
export function makesTrust(identity: Resource<MeshIdentitySpec> | undefined): boolean {
  return identity !== undefined && identity.spec.provider.bundled?.meshTrustCreation !== "Disabled";
}

/** Lets the new authority sign where it does not yet: after the step that decides it, and after one that was cut off. */
export async function openNew(
  { authorities }: RotationOptions,
  { place, runtime }: RotatedMesh,
  { rotated, newRoots }: CaRotation,
): Promise<void> {
  const wanted = newRoots.join("");
  if (rotated.what === "root") {
    if (rootsOf({ authorities }, place.mesh, rotated.backend).join("") !== wanted)
      await authorities.reopenMesh(place.mesh);
  } else if (rotated.what === "identity") {
    const identity = runtime.snapshot.identities.get(rotated.identity);
    if (identity === undefined || authorities.ofIdentity(identity)?.caPem === wanted) return;
    await authorities.prepareIdentity(identity, false);
    runtime.trustChanged();
  }
}

async function trustRoots(
  { authorities }: RotationOptions,
  { place, runtime }: RotatedMesh,
  roots: readonly string[],
): Promise<string | undefined> {
  const isTrusted = (): boolean => {
    const bundle = authorities.meshBundle(runtime.snapshot);
    return roots.every((pem) => bundle.includes(pem));
  };
  if (!isTrusted()) await authorities.reopenMesh(place.mesh);
  return isTrusted() ? undefined : "the authority cannot be opened; the log says why";
}

function whyBackendCannot({ authorities }: RotationOptions, mesh: string, backend: string): string | undefined {
  const facts = authorities.describe(mesh).find(({ name }) => name === backend);
  if (facts?.state.state === "down") return `backend "${backend}" cannot sign: ${facts.state.reason}`;
  return facts === undefined || facts.roots.length === 0 ? `backend "${backend}" is starting` : undefined;
}

async function trustIdentity(
  { store, authorities }: RotationOptions,
  { place, runtime }: RotatedMesh,
  { name, root }: { readonly name: string; readonly root: string },
): Promise<string | undefined> {
  const identity = runtime.snapshot.identities.get(name);
  const domain = identity && authorities.trustDomain(identity);
  const trusts = [...runtime.snapshot.trusts.values()].filter(({ spec }) => spec.trustDomain === domain);
  if (trusts.some(({ spec }) => hasRoot(spec.caBundles, root))) return undefined;
  if (makesTrust(identity))
    await changeBundles(store, { mesh: place.mesh, name }, (bundles) => withRoot(bundles, root));
  return `a MeshTrust of "${domain}" must list the new root, which "new.pem" of this rotation shows`;
}
