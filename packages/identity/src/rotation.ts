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

/**
 * When the workload's certificate is to be renewed. The same on every control plane, and after every restart. With a
 * target, in milliseconds, it is early enough for that much life to be left.
 */
export function rotationTime({ notBefore, notAfter }: Lifetime, workload: string, target = 0): Date {
  const life = notAfter.getTime() - notBefore.getTime();
  const latest = life - spareMillis(life, target);
  const earliest = latest * (EARLIEST / LATEST);
  return new Date(notBefore.getTime() + Math.floor(latest - (latest - earliest) * fractionOf(workload)));
}

/**
 * How much of its life a certificate has left at least while renewals go well: for so long nobody who signs needs to be
 * there. That is a third of it, or the target where that is more, and three quarters at most.
 */
export function spareMillis(lifeMillis: number, targetMillis: number): number {
  return Math.min(lifeMillis * MOST_SPARE, Math.max(lifeMillis * (1 - LATEST), targetMillis));
}

const EARLIEST = 1 / 2;
const LATEST = 2 / 3;
/** More would mean that certificates are issued all the time. */
export const MOST_SPARE = 3 / 4;

/** A number from 0 to 1 (exclusive) that belongs to this text and looks random. */
function fractionOf(text: string): number {
  return hash("sha256", text, "buffer").readUInt32BE(0) / 2 ** 32;
}
