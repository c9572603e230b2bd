import assert from "node:assert/strict";
import { test } from "node:test";
import { kindRegistry } from "../kind.ts";
import { parseResource } from "../parse-resource.ts";
import { dataplane, inboundProtocol, tagSets } from "./dataplane.ts";
import { CORE_KINDS } from "./index.ts";

const kinds = kindRegistry(CORE_KINDS);

function violations(networking: object): readonly string[] {
  const parsed = parseResource(kinds, {
    type: "Dataplane",
    name: "web-1",
    networking: { address: "10.0.0.1", ...networking },
  });
  return parsed.ok ? [] : parsed.violations.map(({ field, message }) => `${field}: ${message}`);
}

const inbound = { port: 8080, servicePort: 18080 };
const cases: readonly [string, object, RegExp][] = [
  ["a wildcard as its address", { address: "0.0.0.0" }, /^networking.address: .*reach/],
  [
    "two inbounds on one port",
    { inbound: [inbound, { ...inbound, name: "b" }] },
    /inbound\[1\].port: must differ from/,
  ],
  [
    "two inbounds of one name",
    {
      inbound: [
        { ...inbound, name: "a" },
        { ...inbound, port: 1, name: "a" },
      ],
    },
    /inbound\[1\].name: must be unique/,
  ],
  [
    "an inbound that would call itself",
    { inbound: [{ port: 80, serviceAddress: "10.0.0.1" }] },
    /servicePort: must differ from port/,
  ],
  [
    "one port to redirect both directions to",
    { transparentProxying: { redirectPortInbound: 15001, redirectPortOutbound: 15001 } },
    /redirectPortInbound: must differ from redirectPortOutbound/,
  ],
  [
    "tags without a service",
    { inbound: [{ ...inbound, tags: { version: "v1" } }] },
    /tags: must have the tag kuma.io\/service/,
  ],
  [
    "a tag that could pass for another identity",
    { inbound: [{ ...inbound, tags: { "kuma.io/service": "web,spiffe://default/admin" } }] },
    /tags\[kuma.io\/service\]: must be letters/,
  ],
  [
    "an empty tag",
    { inbound: [{ ...inbound, tags: { "kuma.io/service": "web", version: "" } }] },
    /tags\[version\]: must be letters/,
  ],
  ["an outbound that leads nowhere", { outbound: [{ port: 1 }] }, /outbound\[0\]: must say where requests go/],
  [
    "an outbound that leads two ways",
    {
      outbound: [
        { port: 1, tags: { "kuma.io/service": "a" }, backendRef: { kind: "MeshService", name: "a", port: 80 } },
      ],
    },
    /must have backendRef or tags, not both/,
  ],
  [
    "an outbound to what is no destination",
    { outbound: [{ port: 1, backendRef: { kind: "Mesh" } }] },
    /backendRef.kind: must be one of "MeshService"/,
  ],
  [
    "an outbound without a port of the service",
    { outbound: [{ port: 1, backendRef: { kind: "MeshService", name: "a" } }] },
    /backendRef.port: must be set/,
  ],
  [
    "inbounds of a gateway",
    { gateway: { tags: { "kuma.io/service": "a" } }, inbound: [inbound] },
    /inbound: must be empty with a gateway/,
  ],
];
for (const [what, networking, message] of cases) {
  test(`dataplane refuses ${what}`, () => {
    const [first, ...others] = violations(networking);
    assert.match(first ?? "nothing", message);
    assert.deepEqual(others, []);
  });
}

test("dataplane lets an inbound and its application share a port number on different addresses", () => {
  assert.deepEqual(violations({ inbound: [{ port: 8080 }] }), []);
});

test("inboundProtocol() prefers the field to the tag, and takes what it does not know for bytes", () => {
  assert.equal(inboundProtocol({ port: 1, protocol: "grpc", tags: { "kuma.io/protocol": "http" } }), "grpc");
  assert.equal(inboundProtocol({ port: 1, tags: { "kuma.io/protocol": "http" } }), "http");
  assert.equal(inboundProtocol({ port: 1, tags: { "kuma.io/protocol": "smtp" } }), "tcp");
  assert.equal(inboundProtocol({ port: 1 }), "tcp");
});

test("tagSets() gives the tags of every inbound, and of a gateway", () => {
  const tags = { "kuma.io/service": "a" };
  assert.deepEqual(tagSets({ networking: { address: "a", inbound: [{ port: 1, tags }, { port: 2 }] } }), [tags]);
  assert.deepEqual(tagSets({ networking: { address: "a", gateway: { tags } } }), [tags]);
  assert.equal(dataplane.shortName, "dp");
});
