import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { derivedAuthority, type DerivedRoot } from "./derived-authority.ts";

const root: DerivedRoot = { seed: Buffer.alloc(32, 7), created: new Date("2026-01-01T00:00:00Z") };
const uri = "heddle://envoy-admin/default/web-1";

test("derivedAuthority() gives the same bytes for the same seed, and others for any other seed, name, URI or use", () => {
  const certificate = (seed: Uint8Array, name: string, of: string, usage: "server" | "client"): string =>
    JSON.stringify(derivedAuthority({ ...root, seed }, name).issue(of, usage));
  assert.equal(certificate(root.seed, "a", uri, "server"), certificate(Buffer.alloc(32, 7), "a", uri, "server"));
  const all = [
    certificate(root.seed, "a", uri, "server"),
    certificate(root.seed, "a", uri, "client"),
    certificate(root.seed, "a", `${uri}0`, "server"),
    certificate(root.seed, "b", uri, "server"),
    certificate(Buffer.alloc(32, 8), "a", uri, "server"),
  ];
  assert.equal(new Set(all).size, all.length);
});

test("derivedAuthority() vouches for what it issues, for any seed, and for nothing of another authority", () => {
  const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(seed, fc.stringMatching(/^[a-z0-9-]{1,30}$/), (bytes, name) => {
      const [ours, other] = ["servers", "callers"].map((each) => derivedAuthority({ ...root, seed: bytes }, each));
      assert.ok(ours && other);
      const issued = ours.issue(`heddle://${name}`, "server");
      const leaf = new X509Certificate(issued.certificatePem);
      const issuer = new X509Certificate(ours.certificatePem);
      assert.ok(leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey));
      assert.ok(leaf.checkPrivateKey(createPrivateKey(issued.keyPem)));
      assert.deepEqual([issuer.ca, leaf.ca, leaf.subjectAltName], [true, false, `URI:heddle://${name}`]);
      assert.equal(leaf.verify(new X509Certificate(other.certificatePem).publicKey), false);
    }),
    { numRuns: 30 },
  );
});
