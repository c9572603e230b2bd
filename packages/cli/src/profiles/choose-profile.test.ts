import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseProfile, parseAddress } from "./choose-profile.ts";

const PROFILES = { profiles: [{ name: "prod", address: "https://prod:5682" }], current: "prod" };
const EMPTY = { profiles: [], current: undefined };

const chosen = [
  [
    "a flag with a name wins",
    PROFILES,
    { controlPlane: "prod", env: { HEDDLE_ADDRESS: "http://env" } },
    "https://prod:5682",
  ],
  ["a flag with an address needs no profile", EMPTY, { controlPlane: "http://flag:1/", env: {} }, "http://flag:1"],
  ["HEDDLE_ADDRESS beats the current profile", PROFILES, { env: { HEDDLE_ADDRESS: "http://env:1" } }, "http://env:1"],
  ["the current profile beats the default", PROFILES, { env: {} }, "https://prod:5682"],
  ["the default is this machine", EMPTY, { env: {} }, "http://localhost:5681"],
] as const;
for (const [what, profiles, wish, address] of chosen) {
  test(`chooseProfile(): ${what}`, () => {
    assert.equal(chooseProfile(profiles, wish).address, address);
  });
}

test("chooseProfile() takes the token of HEDDLE_TOKEN", () => {
  assert.equal(chooseProfile(PROFILES, { env: { HEDDLE_TOKEN: "t" } }).token, "t");
});

test("chooseProfile() names the known ones when a name is unknown", () => {
  assert.throws(() => chooseProfile(PROFILES, { controlPlane: "prd", env: {} }), {
    message: 'Cannot use control plane "prd": no profile has this name',
    details: ["known: prod"],
  });
});

for (const address of ["localhost:5681", "ftp://x", "", "http://"]) {
  test(`parseAddress() refuses ${JSON.stringify(address)}`, () => {
    assert.throws(() => parseAddress(address), { name: "UsageError" });
  });
}
