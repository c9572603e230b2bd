import { X509Certificate } from "node:crypto";
import type { CaRotationReport } from "@heddle/api/reports.ts";
import { rootsOf } from "./begin.ts";
import { certificateReach, oldHolders, type Reach, trustReach } from "./holders.ts";
import type { RotatedMesh, RotationOptions } from "./options.ts";
import type { CaRotation } from "./record.ts";
import { retiredRoots } from "./step.ts";

/** How far a rotation is, by what the proxies have said until now. */
export function reportOf(
  options: RotationOptions,
  at: RotatedMesh,
  rotation: CaRotation,
  problem: string | undefined,
): CaRotationReport {
  const { id, rotated, phase, removeOld, startedAt, startedBy, endedAt, reason = problem } = rotation;
  const { mesh } = at.place;
  const isOfBackend = rotated.what === "backend";
  const newRoots = isOfBackend ? rootsOf(options, mesh, rotated.to) : rotation.newRoots;
  const certificates = certificateReach(at.runtime, rotated, newRoots);
  // Once everybody trusts the new authority, later changes of trust are no part of the rotation.
  const trust = phase === "trusting" ? trustReach(at.runtime) : { proxies: certificates.proxies, behind: [] };
  const ends = isOfBackend ? [] : retiredRoots(options, mesh, rotation).map(({ until }) => until.toISOString());
  const trustedUntil = ends.toSorted().at(-1);
  return {
    id,
    mesh,
    rotated,
    phase,
    startedAt,
    startedBy,
    ...(endedAt === undefined ? {} : { endedAt }),
    trust: told(trust),
    certificates: told(certificates),
    old: {
      roots: rotation.oldRoots.map(fingerprint),
      holders: oldHolders(at.runtime, { rotated, newRoots }, options.now()).length,
      ...(trustedUntil === undefined ? {} : { trustedUntil }),
      isRemoved: phase === "done" && (!isOfBackend || removeOld),
    },
    new: { roots: newRoots.map(fingerprint), pem: newRoots.join("") },
    removeOld,
    ...(reason === undefined ? {} : { problem: reason }),
    done: phase === "done" || phase === "stopped" || (phase === "withdrawing" && !removeOld),
  };
}

function told({ proxies, behind }: Reach): CaRotationReport["trust"] {
  const waitingFor = behind.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return { proxies, reached: proxies - behind.length, waitingFor };
}

function fingerprint(pem: string): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase();
}
