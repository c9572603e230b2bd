import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { linesOf } from "./lines.ts";

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test("linesOf() gives the same lines wherever the stream is cut", async () => {
  const line = fc.string({ unit: "grapheme" }).map((text) => text.replace(/[\r\n]/g, ""));
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 7 }), async (lines, size) => {
      const bytes = new TextEncoder().encode(lines.map((each) => `${each}\n`).join(""));
      assert.deepEqual(
        await Array.fromAsync(linesOf(chunksOf(bytes, size))),
        lines.filter((each) => each !== ""),
      );
    }),
  );
});

test("linesOf() gives a last line without an end", async () => {
  assert.deepEqual(await Array.fromAsync(linesOf(chunksOf(Buffer.from("a\r\nb"), 2))), ["a", "b"]);
});

test("linesOf() throws what breaks the stream", async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("a\nb");
    throw new Error("reset");
  }
  const seen: string[] = [];
  await assert.rejects(async () => {
    for await (const line of linesOf(broken())) seen.push(line);
  }, /reset/);
  assert.deepEqual(seen, ["a"]);
});
