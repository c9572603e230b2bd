import { list, number, record, text } from "../json.ts";
import type { Api, Call } from "./api.ts";

/** A list answer, or several of them put together. */
export interface Page {
  readonly total: number;
  readonly items: readonly unknown[];
  /** The offset of the page that follows, when there is one. */
  readonly nextOffset?: string | undefined;
}

/** What a user asked to see of a list. Without a size everything is fetched, page by page. */
export interface PageWish {
  readonly size?: number | undefined;
  readonly offset?: string | undefined;
}

// The most that Kuma gives in one answer.
const LARGEST_PAGE = 1_000;

/** One page when a size is given, else everything from the offset on. */
export async function readPages(api: Api, call: Call, wish: PageWish = {}): Promise<Page> {
  if (wish.size !== undefined) return readPage(api, call, wish.size, wish.offset);
  const items: unknown[] = [];
  let offset = wish.offset;
  for (;;) {
    const page = await readPage(api, call, LARGEST_PAGE, offset);
    items.push(...page.items);
    // A server that repeats an offset would have us ask for ever.
    if (page.nextOffset === undefined || page.nextOffset === offset) return { total: page.total, items };
    offset = page.nextOffset;
  }
}

async function readPage(api: Api, call: Call, size: number, offset: string | undefined): Promise<Page> {
  const answer = record(await api.json({ ...call, query: { ...call.query, size, offset } }));
  const items = list(answer["items"]);
  return { total: number(answer["total"]) ?? items.length, items, nextOffset: offsetIn(text(answer["next"])) };
}

function offsetIn(next: string | undefined): string | undefined {
  if (next === undefined || !URL.canParse(next)) return undefined;
  return new URL(next).searchParams.get("offset") ?? undefined;
}
