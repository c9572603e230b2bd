import assert from "node:assert/strict";
import { test } from "node:test";
import { bitString, explicit, positiveInteger, sequence } from "./der.ts";

const integers = [
  ["00", "020100"],
  ["0000", "020100"],
  ["7f", "02017f"],
  ["80", "02020080"],
  ["0001ff", "020201ff"],
  ["00ff", "020200ff"],
] as const;

for (const [bytes, expected] of integers) {
  test(`positiveInteger() writes 0x${bytes} in the shortest positive form`, () => {
    assert.equal(positiveInteger(Buffer.from(bytes, "hex")).toString("hex"), expected);
  });
}

const lengths = [
  [0, "3000"],
  [127, "307f"],
  [128, "308180"],
  [255, "3081ff"],
  [256, "30820100"],
  [65_535, "3082ffff"],
  [65_536, "3083010000"],
] as const;

for (const [length, header] of lengths) {
  test(`sequence() of ${length} bytes begins with ${header}`, () => {
    const encoded = sequence([Buffer.alloc(length)]);
    assert.equal(encoded.subarray(0, header.length / 2).toString("hex"), header);
    assert.equal(encoded.length, header.length / 2 + length);
  });
}

test("explicit() wraps what it is given, and bitString() says that no bits are unused", () => {
  assert.equal(explicit(3, bitString(Uint8Array.of(5))).toString("hex"), "a304" + "03020005");
});
