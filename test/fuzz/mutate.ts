import { HOSTILE_TEXTS, HOSTILE_VALUES } from "./dictionary.ts";
import type { Random } from "./random.ts";

const LONGEST_BYTES = 1_048_576;

/** A few changes to bytes: flipped, cut, doubled, moved, hostile pieces put in, parts of another input taken over. */
export function mutateBytes(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let current: Buffer = Buffer.from(bytes);
  for (let times = 1 + random.below(4); times > 0; times -= 1) current = changeBytes(current, other, random);
  return current.subarray(0, LONGEST_BYTES);
}

function changeBytes(bytes: Buffer, other: Uint8Array, random: Random): Buffer {
  const at = random.below(bytes.length + 1);
  const length = Math.min(1 + random.below(random.oneIn(4) ? 400 : 8), bytes.length - at);
  const between = (piece: Uint8Array, end = at): Buffer =>
    Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(end)]);
  switch (random.below(9)) {
    case 0:
      return between(Buffer.from([random.below(256)]), Math.min(at + 1, bytes.length));
    case 1:
      return between(Buffer.from([(bytes[at] ?? 0) ^ (1 << random.below(8))]), Math.min(at + 1, bytes.length));
    case 2:
      return between(Buffer.alloc(0), at + length);
    case 3:
      return bytes.subarray(0, at);
    case 4:
      return between(bytes.subarray(at, at + length));
    case 5:
      return between(repeated(bytes.subarray(at, at + Math.min(length, 12)), random));
    case 6: {
      const from = random.below(other.length + 1);
      return between(other.subarray(from, from + 1 + random.below(200)), at + length);
    }
    case 7:
      return between(Buffer.from([0xff, 0xff, 0xff, 0x7f].slice(random.below(4))), at + length);
    default:
      return between(Buffer.from(random.pick(HOSTILE_TEXTS)), random.oneIn(2) ? at : at + length);
  }
}

// Now and then as much as a body may have, for what takes longer than in proportion.
function repeated(piece: Uint8Array, random: Random): Buffer {
  if (piece.length === 0) return Buffer.alloc(0);
  const bytes = random.oneIn(60) ? 65_000 : random.oneIn(6) ? 4_000 : 100;
  return Buffer.alloc(bytes, piece);
}

/** A few changes to a value as JSON has it; the value itself stays as it is. */
export function mutateTree(value: unknown, others: readonly unknown[], random: Random): unknown {
  let current = value;
  for (let times = 1 + random.below(3); times > 0; times -= 1) {
    const places = 1 + random.below(Math.max(1, countOf(current)));
    current = changeAt(current, { left: places }, { others, random });
  }
  return current;
}

interface Chance {
  readonly others: readonly unknown[];
  readonly random: Random;
}

/** Changes the place that is so many places on; what is not on the way to it is shared. */
function changeAt(value: unknown, place: { left: number }, chance: Chance): unknown {
  place.left -= 1;
  if (place.left <= 0) return changeValue(value, chance);
  if (Array.isArray(value)) {
    return value.map((item: unknown) => (place.left > 0 ? changeAt(item, place, chance) : item));
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] =>
    place.left > 0 ? [key, changeAt(inner, place, chance)] : [key, inner],
  );
  return objectOf(entries);
}

function changeValue(value: unknown, chance: Chance): unknown {
  const { random, others } = chance;
  if (random.oneIn(5)) return random.pick(HOSTILE_VALUES);
  if (random.oneIn(6)) return partOf(random.pick(others), random);
  if (Array.isArray(value)) return changeList(value, random);
  if (isObject(value)) return changeObject(value, chance);
  if (typeof value === "string") return changeText(value, random);
  if (typeof value === "number") return random.pick([value + 1, -value, value * 1_000_003, value / 3, String(value)]);
  return random.pick(HOSTILE_VALUES);
}

function changeList(list: readonly unknown[], random: Random): unknown {
  const at = random.below(list.length + 1);
  switch (random.below(4)) {
    case 0:
      return list.toSpliced(at, 1);
    case 1:
      return list.length === 0 ? [{}] : [...list, random.pick(list)];
    case 2:
      return list.length === 0 ? {} : Array.from({ length: random.oneIn(20) ? 2_000 : 5 }, () => list[0]);
    default:
      return [list];
  }
}

function changeObject(object: Readonly<Record<string, unknown>>, { random, others }: Chance): unknown {
  const entries = Object.entries(object);
  const at = random.below(Math.max(1, entries.length));
  const [key, inner] = entries[at] ?? ["x", 1];
  switch (random.below(5)) {
    case 0:
      return objectOf(entries.toSpliced(at, 1));
    case 1:
      return objectOf(entries.toSpliced(at, 1, [random.pick(HOSTILE_TEXTS), inner]));
    case 2:
      return objectOf([...entries, [random.pick(HOSTILE_TEXTS), random.pick(HOSTILE_VALUES)]]);
    case 3: {
      const other = partOf(random.pick(others), random);
      return isObject(other) ? objectOf([...entries, ...Object.entries(other)]) : [object];
    }
    default:
      return random.oneIn(3) ? [object] : objectOf([...entries, [changeText(key, random), inner]]);
  }
}

function changeText(text: string, random: Random): string {
  const at = random.below(text.length + 1);
  switch (random.below(4)) {
    case 0:
      return text.slice(0, at) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + random.pick(HOSTILE_TEXTS) + text.slice(at);
    case 2:
      return (text === "" ? "x" : text).repeat(random.oneIn(30) ? 500 : 3);
    default:
      return text.slice(0, at) + String.fromCharCode(random.below(random.oneIn(3) ? 65_536 : 128)) + text.slice(at + 1);
  }
}

function partOf(value: unknown, random: Random): unknown {
  const inner = typeof value === "object" && value !== null ? Object.values(value) : [];
  return inner.length === 0 || random.oneIn(3) ? value : partOf(random.pick(inner as unknown[]) ?? null, random);
}

function countOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce((sum: number, inner) => sum + countOf(inner), 1);
}

// As JSON.parse does it: a key __proto__ is a key, and not another prototype.
function objectOf(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
