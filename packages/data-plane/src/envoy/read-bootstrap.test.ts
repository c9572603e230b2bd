import assert from "node:assert/strict";
import { test } from "node:test";
import { readBootstrap } from "./read-bootstrap.ts";

test("readBootstrap() finds the admin socket in both of protobuf's spellings", () => {
  const admin = { kind: "socket", path: "/w/admin.sock" };
  assert.deepEqual(readBootstrap("admin: { address: { pipe: { path: /w/admin.sock } } }").admin, admin);
  assert.deepEqual(
    readBootstrap("admin: { address: { socket_address: { address: 127.0.0.1, port_value: 9901 } } }").admin,
    {
      kind: "port",
      address: "127.0.0.1",
      port: 9_901,
    },
  );
});

test("readBootstrap() lists every TCP address that Envoy binds at its start", () => {
  const { listens } = readBootstrap(`
admin: { address: { socketAddress: { address: 127.0.0.1, portValue: 9901 } } }
staticResources:
  listeners:
    - { name: a, address: { socketAddress: { address: 0.0.0.0, portValue: 80 } } }
    - { name: b, address: { pipe: { path: /w/b.sock } } }`);
  assert.deepEqual(
    listens.map(({ address, port }) => `${address}:${port}`),
    ["127.0.0.1:9901", "0.0.0.0:80"],
  );
});
