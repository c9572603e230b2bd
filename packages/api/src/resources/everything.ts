import { setImmediate } from "node:timers/promises";
import type { Resource } from "@heddle/model/resource.ts";
import type { Reader } from "../ports.ts";

const PAGE = 500;

/**
 * All resources of a type, or those in one mesh, with a breath between pages so that other requests are answered
 * meanwhile.
 */
export async function* everything(read: Reader, type: string, mesh?: string): AsyncGenerator<Resource> {
  const query = { type, size: PAGE, ...(mesh === undefined ? {} : { mesh }) };
  let offset: string | undefined;
  do {
    const page = await read.list({ ...query, ...(offset === undefined ? {} : { offset }) });
    yield* page.items;
    offset = page.next;
    if (offset !== undefined) await setImmediate();
  } while (offset !== undefined);
}
