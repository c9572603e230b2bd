/** A user's mistake: where it is, in Kuma's notation (`spec.to[0].default.http`), and what to write instead. */
export interface Violation {
  readonly field: string;
  readonly message: string;
}

/** What a parser gives back: the value, or every mistake it found. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly violations: readonly Violation[] };

/** Joins path segments the way Kuma prints them: `spec`, `to`, 0, `targetRef` → `spec.to[0].targetRef`. */
export function fieldPath(segments: readonly PropertyKey[]): string {
  return segments.reduce<string>(
    (path, segment) =>
      typeof segment === "number"
        ? `${path}[${segment}]`
        : path === ""
          ? String(segment)
          : `${path}.${String(segment)}`,
    "",
  );
}
