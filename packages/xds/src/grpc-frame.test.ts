import assert from "node:assert/strict";
import { test } from "node:test";
import { array, assert as holds, property, uint8Array, integer } from "fast-check";
import { FrameReader, grpcPrefix } from "./grpc-frame.ts";
import { readStatus, statusHeaders } from "./grpc-status.ts";

test("FrameReader gives the messages, however the bytes are cut", () => {
  const messages = array(uint8Array({ maxLength: 50 }), { maxLength: 6 });
  holds(
    property(messages, array(integer({ min: 1, max: 20 }), { minLength: 1 }), (sent, cuts) => {
      const bytes = Buffer.concat(sent.flatMap((message) => [grpcPrefix(message.length), message]));
      const reader = new FrameReader(50);
      const received: Uint8Array[] = [];
      for (let start = 0, turn = 0; start < bytes.length; turn += 1) {
        const end = start + (cuts[turn % cuts.length] ?? 1);
        received.push(...reader.read(bytes.subarray(start, end)));
        start = end;
      }
      assert.deepEqual(
        received.map((each) => Buffer.from(each)),
        sent.map((each) => Buffer.from(each)),
      );
    }),
  );
});

test("FrameReader takes a message in a million pieces in little time", () => {
  const reader = new FrameReader(2_000_000);
  reader.read(grpcPrefix(1_000_000));
  const started = performance.now();
  const piece = new Uint8Array(1);
  let messages: readonly Uint8Array[] = [];
  for (let count = 0; count < 1_000_000; count += 1) messages = reader.read(piece);
  assert.equal(messages[0]?.length, 1_000_000);
  assert.ok(performance.now() - started < 5_000);
});

test("FrameReader refuses what is too long before it comes", () => {
  const code = { name: "FrameError", code: "resource_exhausted" };
  assert.throws(() => new FrameReader(10).read(grpcPrefix(11)), code);
});

test("statusHeaders() survives every text", () => {
  for (const text of ["plain", "100% sure", "Zoë → ok", "line\nbreak", ""]) {
    assert.deepEqual(readStatus(statusHeaders("not_found", text)), { code: "not_found", message: text });
  }
});
