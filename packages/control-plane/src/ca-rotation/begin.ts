import { randomUUID } from "node:crypto";
import type { CaRotationWish } from "@heddle/api/ports.ts";
import { builtinCaRequest, builtinSecretNames } from "@heddle/identity/backends/builtin/ca-request.ts";
import { createCa } from "@heddle/identity/ca.ts";
import type { CertificateAndKey } from "@heddle/identity/certificate.ts";
import { loadCa } from "@heddle/identity/load-ca.ts";
import { pemCertificates } from "@heddle/identity/pem-certificates.ts";
import { enabledBackend, type MtlsBackend } from "@heddle/model/kinds/mesh.ts";
import { identitySecretNames } from "../identity/authorities.ts";
import type { RotatedMesh, RotationOptions } from "./options.ts";
import type { PairNames } from "./pair-in-force.ts";
import type { CaRotation, Rotated } from "./record.ts";

/** Why a rotation cannot begin, for the caller: 400 what is asked for makes no sense here, 404 it is not there. */
export class RotationRefused extends Error {
  override readonly name = "RotationRefused";
  readonly status: 400 | 404 | 409;

  constructor(status: 400 | 404 | 409, message: string) {
    super(message);
    this.status = status;
  }
}

/** What a wish comes to in this mesh, by the mesh as it is now. Throws RotationRefused. */
export function rotatedBy({ runtime, place }: RotatedMesh, { to }: CaRotationWish): Rotated {
  const { mesh, identities } = runtime.snapshot;
  if (place.identity !== undefined) {
    const { identity } = place;
    const bundled = identities.get(identity)?.spec.provider.bundled;
    if (!identities.has(identity))
      throw new RotationRefused(404, `there is no MeshIdentity "${identity}" in mesh "${mesh.name}"`);
    if (bundled?.autogenerate?.enabled === true) return { what: "identity", identity };
    throw new RotationRefused(400, `MeshIdentity "${identity}" has an authority of yours: ${CHANGE_IT_THERE}`);
  }
  const enabled = enabledBackend(mesh.spec);
  const names = mesh.spec.mtls?.backends?.map(({ name }) => name) ?? [];
  if (enabled === undefined) throw new RotationRefused(400, `mesh "${mesh.name}" has no mtls.enabledBackend`);
  if (to === undefined) return rootOf(enabled);
  if (!names.includes(to))
    throw new RotationRefused(
      400,
      `mesh "${mesh.name}" lists no backend "${to}", only ${names.map((name) => `"${name}"`).join(", ")}; add it to mtls.backends first`,
    );
  if (to === enabled.name)
    throw new RotationRefused(400, `"${to}" signs already; to replace its root, leave the backend out`);
  return { what: "backend", from: enabled.name, to };
}

/** The record of a new rotation: nothing has happened yet. */
export async function beginRotation(
  options: RotationOptions,
  at: RotatedMesh,
  rotated: Rotated,
): Promise<Omit<CaRotation, "removeOld" | "startedBy">> {
  const { now, authorities } = options;
  const { mesh, identities } = at.runtime.snapshot;
  const begun = { id: randomUUID(), rotated, phase: "trusting" as const, startedAt: now().toISOString() };
  switch (rotated.what) {
    case "backend":
      return { ...begun, oldRoots: rootsOf(options, mesh.name, rotated.from), newRoots: [] };
    case "root": {
      const { conf = {} } = mesh.spec.mtls?.backends?.find(({ name }) => name === rotated.backend) ?? {};
      const next = await createCa(builtinCaRequest(mesh.name, conf, now()));
      const pair = builtinSecretNames(mesh.name, rotated.backend);
      return { ...begun, ...(await replacement(options, mesh.name, pair, next)) };
    }
    case "identity": {
      const identity = identities.get(rotated.identity);
      if (identity === undefined) throw new RotationRefused(404, `there is no MeshIdentity "${rotated.identity}"`);
      const next = await authorities.newIdentityCa(identity);
      return { ...begun, ...(await replacement(options, mesh.name, identitySecretNames(identity.name), next)) };
    }
  }
}

/** The certificates of a backend that proxies trust and that sign, PEM. */
export function rootsOf(
  { authorities }: Pick<RotationOptions, "authorities">,
  mesh: string,
  backend: string,
): string[] {
  const facts = authorities.describe(mesh).find(({ name }) => name === backend);
  return (facts?.roots ?? []).flatMap(({ pem, until }) => (until === undefined ? [pem] : []));
}

const CHANGE_IT_THERE = "change it where it comes from; Heddle follows by itself, and --status shows how far it is";

function rootOf({ name, type }: MtlsBackend): Rotated {
  if (type === "builtin") return { what: "root", backend: name };
  throw new RotationRefused(400, `backend "${name}" of type ${type} has an authority of yours: ${CHANGE_IT_THERE}`);
}

/**
 * A pair in the place of the one in these Secrets. An authority that has ended, or is lost, cannot sign until everybody knows
 * the next one, and nobody is served by waiting: then the new one signs from the first step on.
 */
async function replacement(
  { secrets, now }: RotationOptions,
  mesh: string,
  pair: PairNames,
  next: CertificateAndKey,
): Promise<Pick<CaRotation, "oldRoots" | "newRoots" | "pair" | "next"> & { readonly phase: "trusting" | "issuing" }> {
  const [certificatePem = "", keyPem = ""] = await Promise.all([
    secrets.read(mesh, pair.certificate),
    secrets.read(mesh, pair.key),
  ]);
  return {
    phase: loadCa({ certificatePem, keyPem }, now()).ok ? "trusting" : "issuing",
    oldRoots: rootsIn(certificatePem),
    newRoots: [...pemCertificates(next.certificatePem)],
    pair,
    next,
  };
}

function rootsIn(text: string): string[] {
  try {
    return [...pemCertificates(text)].slice(-1);
  } catch {
    return [];
  }
}
