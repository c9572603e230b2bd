/** What the last requests of the visitor came to. */
export interface Visits {
  readonly total: number;
  readonly failed: number;
  /** Of the last hundred. */
  readonly recent: { readonly failed: number; readonly servedBy: ReadonlyMap<string, number> };
}

const REMEMBERED = 100;

/** Somebody who looks at the page a few times each second, until the signal aborts. */
export async function visit(
  url: string,
  options: { readonly everyMillis: number; readonly signal: AbortSignal; readonly onVisit: (visits: Visits) => void },
): Promise<void> {
  const recent: (string | undefined)[] = [];
  let total = 0;
  let failed = 0;
  while (!options.signal.aborted) {
    const servedBy = await look(url);
    if (options.signal.aborted) return;
    // Until the first answer the sidecars are still starting; that is not what anybody wants to see counted.
    if (servedBy === undefined && total === 0) {
      await pause(options.everyMillis);
      continue;
    }
    total += 1;
    failed += servedBy === undefined ? 1 : 0;
    recent.push(servedBy);
    if (recent.length > REMEMBERED) recent.shift();
    options.onVisit({ total, failed, recent: summary(recent) });
    await pause(options.everyMillis);
  }
}

async function pause(millis: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, millis));
}

async function look(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    await response.text();
    return response.ok ? (response.headers.get("x-served-by") ?? "") : undefined;
  } catch {
    return undefined;
  }
}

function summary(recent: readonly (string | undefined)[]): Visits["recent"] {
  const servedBy = new Map<string, number>();
  for (const name of recent) if (name !== undefined) servedBy.set(name, (servedBy.get(name) ?? 0) + 1);
  return { failed: recent.filter((name) => name === undefined).length, servedBy };
}
