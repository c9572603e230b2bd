import { setImmediate } from "node:timers/promises";

/** Works through items in slices of some milliseconds: between them sockets and other requests get their turn. */
export async function mapInSlices<Item, Result>(
  items: Iterable<Item>,
  sliceMillis: number,
  work: (item: Item) => Result,
): Promise<Result[]> {
  const results: Result[] = [];
  let end = performance.now() + sliceMillis;
  for (const item of items) {
    results.push(work(item));
    if (performance.now() < end) continue;
    await setImmediate();
    end = performance.now() + sliceMillis;
  }
  return results;
}
