import assert from "node:assert/strict";
import { test } from "node:test";
import { compileYaml } from "@heddle/engine/testkit/compile-yaml.ts";
import { decoded } from "@heddle/engine/testkit/decode.ts";
import fc from "fast-check";
import { policies } from "./index.ts";

// Characters that mean something in a regular expression and may stand in names, labels or SPIFFE IDs.
const name = fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}[a-z0-9]$/).filter((text) => !text.includes(".."));
const spiffe = fc.stringMatching(/^spiffe:\/\/default\/[a-z0-9.+*()_-]{1,20}$/);

const mesh = (service: string, caller: string, header: string): string => `
type: Mesh
name: default
mtls: { enabledBackend: ca, backends: [{ name: ca, type: builtin }] }
---
type: Dataplane
name: web-1
networking:
  address: 192.168.0.1
  inbound: [{ port: 8080, servicePort: 18080, tags: { kuma.io/service: ${JSON.stringify(service)}, kuma.io/protocol: http } }]
  outbound: [{ port: 10001, tags: { kuma.io/service: ${JSON.stringify(service)} } }]
---
type: MeshTrafficPermission
name: one
spec: { rules: [{ default: { allow: [{ spiffeID: { type: Exact, value: ${JSON.stringify(caller)} } }] } }] }
---
type: MeshTrafficPermission
name: by-tags
spec: { from: [{ targetRef: { kind: MeshService, name: ${JSON.stringify(service)} }, default: { action: Deny } }] }
---
type: MeshHTTPRoute
name: route
spec:
  to:
    - targetRef: { kind: MeshService, name: ${JSON.stringify(service)} }
      rules:
        - matches: [{ path: { type: Exact, value: /a.b }, headers: [{ type: Exact, name: x-user, value: ${JSON.stringify(header)} }] }]
          default: { backendRefs: [{ kind: MeshServiceSubset, name: ${JSON.stringify(service)}, tags: { version: v1 } }] }
`;

test("names never become regular expressions: a dot in one means a dot", () => {
  fc.assert(
    fc.property(name, spiffe, name, (service, caller, header) => {
      const { resources } = compileYaml(mesh(service, caller, header), policies);
      const all = [...resources.values()].flatMap((named) => [...named.values()]);
      const text = JSON.stringify(all.map((each) => decoded(each)));
      assert.doesNotMatch(text, /regex/i);
      assert.ok(text.includes(JSON.stringify({ exact: caller })), `"${caller}" is not matched exactly`);
    }),
    { numRuns: 200 },
  );
});
