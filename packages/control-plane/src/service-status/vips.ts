import { createHash } from "node:crypto";
import type { NamedKind } from "@heddle/model/hostnames.ts";

/** A service that has a virtual address, or is to get one. */
export interface Holder {
  readonly type: NamedKind;
  readonly mesh: string;
  readonly name: string;
  readonly creationTime: string;
  /** Those it has, IPv4 and others. */
  readonly vips: readonly string[];
}

/** The first octet of each kind's range, a /8, as in Kuma. */
const RANGES: Readonly<Record<NamedKind, number>> = {
  MeshService: 241,
  MeshExternalService: 242,
  MeshMultiZoneService: 243,
};
// Without the first and the last address of the range.
const SIZE = 2 ** 24 - 2;

/**
 * The virtual addresses of all services, in their order. What a service has it keeps; of two with the same one the older
 * keeps it. A new one follows from the service's name: who comes back has it again, and nobody gets that of a service
 * that has just gone, which others may still call.
 */
export function allocateVips(holders: readonly Holder[]): readonly (readonly string[])[] {
  const oldestFirst = holders.toSorted(byAge);
  const taken = new Set<string>();
  const kept = new Map<Holder, readonly string[]>();
  for (const holder of oldestFirst) {
    const own = holder.vips.filter((vip) => !taken.has(vip));
    for (const vip of own) taken.add(vip);
    if (own.length > 0) kept.set(holder, own);
  }
  for (const holder of oldestFirst) {
    if (kept.has(holder)) continue;
    const vip = freeVip(holder, taken);
    taken.add(vip);
    kept.set(holder, [vip]);
  }
  return holders.map((holder) => kept.get(holder) ?? []);
}

function freeVip({ type, mesh, name }: Holder, taken: ReadonlySet<string>): string {
  const start = createHash("sha256").update(`${type}/${mesh}/${name}`).digest().readUInt32BE(0);
  for (let step = 0; step < SIZE; step += 1) {
    const vip = addressOf(RANGES[type], ((start + step) % SIZE) + 1);
    if (!taken.has(vip)) return vip;
  }
  throw new RangeError(`Cannot give ${type} "${name}" an address: all of ${RANGES[type]}.0.0.0/8 are taken`);
}

function addressOf(first: number, rest: number): string {
  return [first, rest >> 16, (rest >> 8) & 255, rest & 255].join(".");
}

function byAge(a: Holder, b: Holder): number {
  const key = ({ creationTime, type, mesh, name }: Holder): string => `${creationTime} ${type}/${mesh}/${name}`;
  return key(a) < key(b) ? -1 : 1;
}
