/**
 * Merges settings from the weakest to the strongest: objects field by field, everything else replaced as a whole, lists
 * whose name starts with "append" joined. Never changes what it was given.
 * After RFC 7396, with Kuma's rule for append fields; unlike there an undefined field leaves the weaker value.
 */
export function mergeConfs(confs: readonly unknown[]): unknown {
  return confs.reduce((weak, strong) => mergeTwo(weak, strong, ""), undefined);
}

function mergeTwo(weak: unknown, strong: unknown, field: string): unknown {
  if (strong === undefined) return weak;
  if (Array.isArray(weak) && Array.isArray(strong) && field.startsWith("append")) return [...weak, ...strong];
  if (!isObject(weak) || !isObject(strong)) return strong;
  const merged: Record<string, unknown> = { ...weak };
  for (const key of Object.keys(strong)) {
    if (key === "__proto__") continue;
    merged[key] = mergeTwo(weak[key], strong[key], key);
  }
  return merged;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
