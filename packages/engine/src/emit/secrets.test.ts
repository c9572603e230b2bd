import assert from "node:assert/strict";
import { test } from "node:test";
import { decoded } from "../testkit/decode.ts";
import { authoritiesSecret, identitySecret, trustDomainsSecret } from "./secrets.ts";

test("trustDomainsSecret() gives each trust domain its own authorities, in the same bytes whatever their order", () => {
  const [a, b] = [
    [
      ["b.example", "B"],
      ["a.example", "A"],
    ],
    [
      ["a.example", "A"],
      ["b.example", "B"],
    ],
  ].map((bundles) => trustDomainsSecret("trust", new Map(bundles as [string, string][])));
  assert.equal(a?.version, b?.version);
  const text = JSON.stringify(a && decoded(a));
  assert.match(text, /"name":"a.example","trustBundle":\{"inlineString":"A"\}.*"name":"b.example"/);
});

test("identitySecret() and authoritiesSecret() hold what they are given under their name", () => {
  assert.deepEqual(decoded(identitySecret("own", "certificate", "key")), {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
    name: "own",
    tlsCertificate: { certificateChain: { inlineString: "certificate" }, privateKey: { inlineString: "key" } },
  });
  assert.match(JSON.stringify(decoded(authoritiesSecret("ca", "PEM"))), /"trustedCa":\{"inlineString":"PEM"\}/);
});
