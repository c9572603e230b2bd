import assert from "node:assert/strict";
import { test } from "node:test";
import {
  parseRevocations,
  revocationsName,
  signingKeyName,
  signingKeySerial,
  zonePublicKeyName,
} from "./token-secrets.ts";

const dataplane = { kind: "dataplane", mesh: "default" } as const;

test("signingKeyName() and revocationsName() give Kuma's names", () => {
  assert.equal(signingKeyName(dataplane, 1), "dataplane-token-signing-key-default-1");
  assert.equal(signingKeyName({ kind: "user", mesh: "" }, 2), "user-token-signing-key-2");
  assert.equal(signingKeyName({ kind: "zone", mesh: "" }, 3), "zone-token-signing-key-3");
  assert.equal(zonePublicKeyName(3), "zone-token-signing-public-key-3");
  assert.equal(revocationsName(dataplane), "dataplane-token-revocations-default");
  assert.equal(revocationsName({ kind: "user", mesh: "" }), "user-token-revocations");
});

const serials = [
  ["dataplane-token-signing-key-default-1", 1],
  ["dataplane-token-signing-key-default-12", 12],
  ["dataplane-token-signing-key-other-1", undefined],
  ["dataplane-token-signing-key-default", undefined],
  ["dataplane-token-signing-key-default-", undefined],
  ["dataplane-token-signing-key-default-01", undefined],
  ["dataplane-token-signing-key-default-1e3", undefined],
  ["dataplane-token-revocations-default", undefined],
] as const;

for (const [name, serial] of serials) {
  test(`signingKeySerial() reads ${serial} from "${name}"`, () => {
    assert.equal(signingKeySerial(dataplane, name), serial);
  });
}

test("parseRevocations() reads ids between commas, and forgives spaces, line breaks and empty places", () => {
  assert.deepEqual([...parseRevocations("a,b\n")], ["a", "b"]);
  assert.deepEqual([...parseRevocations(" a ,\n b,,c ")], ["a", "b", "c"]);
  assert.deepEqual([...parseRevocations("")], []);
});
