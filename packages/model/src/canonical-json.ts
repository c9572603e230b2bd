import { hash } from "node:crypto";

/** JSON with sorted keys: the same content always gives the same text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, sortKeys) ?? "null";
}

/** 16 hexadecimal digits that differ when the content differs. */
export function contentHash(value: unknown): string {
  return hash("sha256", canonicalJson(value), "hex").slice(0, 16);
}

function sortKeys(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  const record = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.keys(record)
      .toSorted()
      .map((key) => [key, record[key]]),
  );
}
