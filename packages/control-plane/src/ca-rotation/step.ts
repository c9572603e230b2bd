import { pemCertificates } from "@heddle/identity/pem-certificates.ts";
import type { MeshSpec } from "@heddle/model/kinds/mesh.ts";
import { lastEnd } from "../identity/certificates.ts";
import { rootsOf } from "./begin.ts";
import { certificateReach, oldHolders } from "./holders.ts";
import { makesTrust, makeTrusted, openNew } from "./make-trusted.ts";
import type { RotatedMesh, RotationOptions } from "./options.ts";
import type { CaRotation } from "./record.ts";
import { changeBundles, changeStored, withoutRoots } from "./trusted-bundles.ts";

/** The record of a rotation after its next step, or what the step waits for. */
export type Step = { readonly to: CaRotation } | { readonly waitsFor: string };

/**
 * Does what can be done now and says how the rotation goes on. Whatever this does can be done again: a control plane that
 * dies in the middle, or a store that fails, leaves the record as it was, and the same step is taken once more.
 */
export async function nextStep(options: RotationOptions, at: RotatedMesh, rotation: CaRotation): Promise<Step> {
  const overtaken = isOvertaken(at, rotation);
  if (overtaken !== undefined) {
    // The new authority signs already, so it must not be lost.
    if (rotation.phase === "issuing") await keepPair(options, at, rotation);
    return { to: ended(options, withoutNext(rotation), "stopped", overtaken) };
  }
  switch (rotation.phase) {
    case "trusting":
      return await trust(options, at, rotation);
    case "issuing":
      return await issue(options, at, rotation);
    case "withdrawing":
      return await withdraw(options, at, rotation);
    case "done":
    case "stopped":
      return { waitsFor: "nothing" };
  }
}

/** Roots that sign no more and are trusted still, with their end. */
export function retiredRoots(
  { authorities, now }: Pick<RotationOptions, "authorities" | "now">,
  mesh: string,
  { rotated, retired = [] }: Pick<CaRotation, "rotated" | "retired">,
): readonly { readonly pem: string; readonly until: Date }[] {
  if (rotated.what === "identity")
    return retired.map(({ pem, until }) => ({ pem, until: new Date(until) })).filter(({ until }) => until > now());
  const backend = rotated.what === "root" ? rotated.backend : rotated.to;
  const roots = authorities.describe(mesh).find(({ name }) => name === backend)?.roots ?? [];
  return roots.flatMap(({ pem, until }) => (until !== undefined && until > now() ? [{ pem, until }] : []));
}

/** Why a rotation makes no sense any more: somebody wrote the mesh otherwise meanwhile. */
function isOvertaken({ runtime }: RotatedMesh, { rotated, phase }: CaRotation): string | undefined {
  const { mesh, identities } = runtime.snapshot;
  const { enabledBackend = "", backends = [] } = mesh.spec.mtls ?? {};
  const lists = (wanted: string): boolean => backends.some(({ name }) => name === wanted);
  switch (rotated.what) {
    case "identity":
      return identities.has(rotated.identity) ? undefined : `MeshIdentity "${rotated.identity}" was deleted`;
    case "root":
      return lists(rotated.backend) ? undefined : `the mesh lists backend "${rotated.backend}" no more`;
    case "backend": {
      if (!lists(rotated.to)) return `the mesh lists backend "${rotated.to}" no more`;
      // A step that was cut off may have switched it already, and what the mesh makes of that write may be on its way.
      const allowed = phase === "withdrawing" ? [rotated.to] : [rotated.from, rotated.to];
      return allowed.includes(enabledBackend) ? undefined : `enabledBackend is "${enabledBackend}" now`;
    }
  }
}

/** Until everybody trusts the new authority the old one signs. */
async function trust(options: RotationOptions, at: RotatedMesh, rotation: CaRotation): Promise<Step> {
  const missing = await makeTrusted(options, at, rotation);
  if (missing !== undefined) return { waitsFor: missing };
  if (some(at.runtime.behindInTrust())) return { waitsFor: "proxies that have not acknowledged the new authority" };
  const { rotated } = rotation;
  if (rotated.what !== "backend") return { to: retiring(options, at, { ...rotation, phase: "issuing" }) };
  await switchBackend(options, at.place.mesh, rotated.to);
  return { to: { ...rotation, phase: "issuing", newRoots: rootsOf(options, at.place.mesh, rotated.to) } };
}

async function switchBackend({ store }: RotationOptions, mesh: string, to: string): Promise<void> {
  await changeStored<MeshSpec>(store, { type: "Mesh", mesh: "", name: mesh }, (spec) =>
    spec.mtls === undefined || spec.mtls.enabledBackend === to
      ? spec
      : { ...spec, mtls: { ...spec.mtls, enabledBackend: to } },
  );
}

/** The root of an identity is trusted by a MeshTrust, which says nothing about how long: that is noted here. */
function retiring({ authorities, now }: RotationOptions, { runtime }: RotatedMesh, rotation: CaRotation): CaRotation {
  const { rotated, oldRoots } = rotation;
  const identity = rotated.what === "identity" ? runtime.snapshot.identities.get(rotated.identity) : undefined;
  if (identity === undefined) return rotation;
  const life = authorities.describeIdentity(identity).certificateMillis;
  const last = lastEnd(runtime.certificates)?.getTime() ?? 0;
  const until = new Date(Math.max(now().getTime() + life, last)).toISOString();
  return { ...rotation, retired: [...(rotation.retired ?? []), ...oldRoots.map((pem) => ({ pem, until }))] };
}

/** The new authority signs; at last its Secrets get what the record holds, and then the record can do without. */
async function issue(options: RotationOptions, at: RotatedMesh, rotation: CaRotation): Promise<Step> {
  // One that began here, because the old authority was over, is not trusted yet.
  if (rotation.rotated.what === "identity") await makeTrusted(options, at, rotation);
  await openNew(options, at, rotation);
  const { rotated } = rotation;
  const isOfBackend = rotated.what === "backend";
  const newRoots = isOfBackend ? rootsOf(options, at.place.mesh, rotated.to) : rotation.newRoots;
  const isSwitched = !isOfBackend || at.runtime.snapshot.mesh.spec.mtls?.enabledBackend === rotated.to;
  if (!isSwitched || certificateReach(at.runtime, rotated, newRoots).behind.length > 0)
    return { waitsFor: "certificates of the new authority" };
  await keepPair(options, at, rotation);
  return { to: withoutNext({ ...rotation, newRoots, phase: "withdrawing" }) };
}

async function keepPair(
  { secrets }: RotationOptions,
  { place: { mesh } }: RotatedMesh,
  { pair, next }: CaRotation,
): Promise<void> {
  if (pair === undefined || next === undefined) return;
  await secrets.write(mesh, pair.key, next.keyPem);
  await secrets.write(mesh, pair.certificate, next.certificatePem);
}

/** The old authority is trusted until no certificate of it can be alive; with `removeOld` until none is known to be. */
async function withdraw(options: RotationOptions, at: RotatedMesh, rotation: CaRotation): Promise<Step> {
  const { rotated, removeOld } = rotation;
  const { mesh } = at.place;
  const isFree = oldHolders(at.runtime, rotation, options.now()).length === 0;
  if (rotated.what === "backend") {
    if (!isFree) return { waitsFor: "certificates of the old authority" };
    const pause = removeOld ? settle(options, rotation) : undefined;
    if (pause !== undefined) return pause;
    if (removeOld) await removeBackend(options, mesh, rotated.from);
    return { to: ended(options, rotation, "done") };
  }
  const isOver = retiredRoots(options, mesh, rotation).length === 0;
  if (!isOver && !(removeOld && isFree)) return { waitsFor: "certificates of the old root" };
  const pause = isOver ? undefined : settle(options, rotation);
  if (pause !== undefined) return pause;
  if (rotated.what === "root") await options.authorities.forgetRetired(mesh, rotated.backend);
  else await forgetRoots(options, at, rotation);
  const { retired: _, ...over } = rotation;
  return { to: ended(options, over, "done") };
}

/** When an authority whose certificates have all been replaced can be removed, in milliseconds since 1970; infinite while one is in use. */
export function settledAt({ settleMillis }: Pick<RotationOptions, "settleMillis">, { freeSince }: CaRotation): number {
  return freeSince === undefined ? Number.POSITIVE_INFINITY : new Date(freeSince).getTime() + settleMillis;
}

/**
 * A proxy acknowledges its new certificate before all its threads show it, and handshakes that began with the old one are
 * on their way: whoever is asked at that moment must trust the old authority still.
 */
function settle(options: RotationOptions, rotation: CaRotation): Step | undefined {
  const { now, settleMillis } = options;
  if (settleMillis === 0 || settledAt(options, rotation) <= now().getTime()) return undefined;
  if (rotation.freeSince === undefined) return { to: { ...rotation, freeSince: now().toISOString() } };
  return { waitsFor: "handshakes that began with certificates of the old authority" };
}

async function forgetRoots(
  { store }: RotationOptions,
  { place, runtime }: RotatedMesh,
  { retired = [], newRoots }: CaRotation,
): Promise<void> {
  const { mesh, identity: name = "" } = place;
  if (!makesTrust(runtime.snapshot.identities.get(name))) return;
  const gone = retired.flatMap(({ pem }) => pemCertificates(pem)).filter((pem) => !newRoots.includes(pem));
  await changeBundles(store, { mesh, name }, (bundles) => withoutRoots(bundles, gone));
}

async function removeBackend({ store }: RotationOptions, mesh: string, from: string): Promise<void> {
  await changeStored<MeshSpec>(store, { type: "Mesh", mesh: "", name: mesh }, (spec) => {
    const { mtls } = spec;
    const backends = mtls?.backends?.filter(({ name }) => name !== from);
    return mtls?.backends?.length === backends?.length ? spec : { ...spec, mtls: { ...mtls, backends } };
  });
}

function ended({ now }: RotationOptions, rotation: CaRotation, phase: "done" | "stopped", reason?: string): CaRotation {
  return { ...rotation, phase, endedAt: now().toISOString(), ...(reason === undefined ? {} : { reason }) };
}

function withoutNext({ next: _, ...rotation }: CaRotation): CaRotation {
  return rotation;
}

function some(items: Iterable<unknown>): boolean {
  return items[Symbol.iterator]().next().done !== true;
}
