import { createHash } from "node:crypto";
import type { NewResource, Resource } from "@heddle/model/resource.ts";
import { openSqliteStore } from "../sqlite.ts";

/**
 * A program for tests of crashes: writes to a store from several sides at once, and prints each write once it is
 * acknowledged, as one line: what it did, the name, the index it wrote, and the version. Prints "ready" when it begins.
 */
const WRITERS = 8;

/** What a writer stores: anybody can tell from the resource alone whether it is whole. */
export function wholeResource(name: string, index: number): NewResource {
  const text = createHash("sha256").update(`${name} ${index}`).digest("hex").repeat(30);
  return { type: "Dataplane", mesh: "default", name, labels: { index: String(index) }, spec: { index, text } };
}

if (process.argv[1] === import.meta.filename) await run(process.argv[2] ?? "", Number(process.argv[3]));

async function run(file: string, first: number): Promise<void> {
  const store = await openSqliteStore({ file, keepChanges: 100_000 });
  print("ready");
  let next = first;

  const write = async (): Promise<void> => {
    for (;;) {
      const index = next++;
      const name = `n${index}`;
      const relaxed = index % 3 === 0;
      let resource = await store.create(wholeResource(name, index), { durability: relaxed ? "relaxed" : "full" });
      say("put", index, resource);
      if (index % 2 === 0) {
        resource = await store.update(wholeResource(name, index + 1_000_000), resource.version);
        say("put", index + 1_000_000, resource);
      }
      if (index % 5 === 0) say("delete", index, await store.delete(resource));
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
}

function say(change: "put" | "delete", index: number, resource: Resource): void {
  print(`${change} ${resource.name} ${index} ${resource.version}`);
}

/** Writing to a pipe is synchronous: nothing waits in a buffer that a kill would empty. */
function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
