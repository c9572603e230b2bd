import { hash } from "node:crypto";

/** How long a certificate lives. */
export interface Lifetime {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * True once it is time to renew the workload's certificate. Each workload has its own moment between one half and two
 * thirds of the certificate's life: a served certificate always has more than a third of its life left, and workloads
 * that started together do not renew together.
 */
export function isDueForRotation(life: Lifetime, workload: string, now: Date): boolean {
  return now >= rotationTime(life, workload);
}

/** When the workload's certificate is to be renewed. The same on every control plane, and after every restart. */
export function rotationTime({ notBefore, notAfter }: Lifetime, workload: string): Date {
  const life = notAfter.getTime() - notBefore.getTime();
  const share = LATEST - (LATEST - EARLIEST) * fractionOf(workload);
  return new Date(notBefore.getTime() + Math.floor(life * share));
}

const EARLIEST = 1 / 2;
const LATEST = 2 / 3;

/** A number from 0 to 1 (exclusive) that belongs to this text and looks random. */
function fractionOf(text: string): number {
  return hash("sha256", text, "buffer").readUInt32BE(0) / 2 ** 32;
}
