import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatProfiles, parseProfiles, withoutProfile, withProfile, type Profile } from "./profile.ts";

const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const profile: fc.Arbitrary<Profile> = fc.record(
  {
    name: word,
    address: word.map((host) => `https://${host}:5682`),
    caCertFile: word,
    clientCertFile: word,
    clientKeyFile: word,
    skipVerify: fc.constant(true),
    headers: fc.dictionary(word, word, { minKeys: 1, noNullPrototype: true }),
    token: word,
  },
  { requiredKeys: ["name", "address"], noNullPrototype: true },
);

test("parseProfiles() reads what formatProfiles() wrote", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(profile, { selector: ({ name }) => name }),
      fc.option(word, { nil: undefined }),
      (profiles, current) => {
        const file: unknown = JSON.parse(JSON.stringify(formatProfiles({ profiles, current })));
        assert.deepEqual(parseProfiles(file), { profiles, current });
      },
    ),
  );
});

test("parseProfiles() reads a file of kumactl, whose contexts give the names", () => {
  const file = {
    contexts: [{ name: "prod", controlPlane: "cp-1" }],
    controlPlanes: [
      {
        name: "cp-1",
        coordinates: {
          apiServer: {
            url: "https://cp:5682",
            authType: "tokens",
            authConf: { token: "t" },
            headers: [{ key: "x-team", value: "a" }],
            caCertFile: "/ca.pem",
          },
        },
      },
    ],
    currentContext: "prod",
  };
  assert.deepEqual(parseProfiles(file), {
    profiles: [
      { name: "prod", address: "https://cp:5682", caCertFile: "/ca.pem", headers: { "x-team": "a" }, token: "t" },
    ],
    current: "prod",
  });
});

test("withProfile() replaces the one of its name and makes it the current one", () => {
  const a = { name: "a", address: "http://one" };
  const b = { name: "b", address: "http://two" };
  const next = { ...a, address: "http://three" };
  assert.deepEqual(withProfile({ profiles: [a, b], current: "b" }, next), { profiles: [b, next], current: "a" });
});

test("withoutProfile() leaves none as current when the current one goes", () => {
  const a = { name: "a", address: "http://one" };
  assert.deepEqual(withoutProfile({ profiles: [a], current: "a" }, "a"), { profiles: [], current: undefined });
});
