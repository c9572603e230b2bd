import { setImmediate } from "node:timers/promises";
import type { Resource } from "@heddle/model/resource.ts";
import type { Reader } from "../ports.ts";

const PAGE = 500;

/** All resources of a type, with a breath between pages so that other requests are answered meanwhile. */
export async function* everything(read: Reader, type: string): AsyncGenerator<Resource> {
  let offset: string | undefined;
  do {
    const page = await read.list({ type, size: PAGE, ...(offset === undefined ? {} : { offset }) });
    yield* page.items;
    offset = page.next;
    if (offset !== undefined) await setImmediate();
  } while (offset !== undefined);
}
