/** A page of a list as Kuma answers it. */
export interface Envelope<T> {
  /** All that match, not only this page. */
  readonly total: number;
  readonly items: readonly T[];
  /** Absolute URL of the next page, null on the last one. */
  readonly next: string | null;
}

/** Wraps one page. `next` is the caller's own URL with another offset, so that every other parameter stays. */
export function envelope<T>(
  url: URL,
  page: { total: number; items: readonly T[]; next?: string | undefined },
): Envelope<T> {
  return { total: page.total, items: page.items, next: page.next === undefined ? null : withOffset(url, page.next) };
}

function withOffset(url: URL, offset: string): string {
  const next = new URL(url);
  next.searchParams.set("offset", offset);
  return next.href;
}
