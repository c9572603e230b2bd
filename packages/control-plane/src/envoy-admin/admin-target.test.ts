import assert from "node:assert/strict";
import { test } from "node:test";
import { adminTarget, inspectAddress } from "./admin-target.ts";

const socket = { "dataplane.admin.socketPath": "/tmp/kuma-envoy-admin.sock" };
const admin = { "dataplane.admin.address": "127.0.0.1", "dataplane.admin.port": "9901" };

const cases = [
  ["the port that a launcher set aside", { ...socket, "dataplane.inspect.port": "4711" }, "127.0.0.1", 4_711],
  ["that port also beside an admin port", { ...admin, "dataplane.inspect.port": "4711" }, "10.0.0.1", 4_711],
  ["Kuma's admin port on the Dataplane's address", admin, "10.0.0.1", 9_901],
  ["nothing for an admin port on loopback, where Envoy has it itself", admin, "127.0.0.1", undefined],
  ["nothing for an admin port on IPv6 loopback", admin, "::1", undefined],
  ["nothing for an admin port on every address", admin, "0.0.0.0", undefined],
  ["nothing for a socket without a port", socket, "10.0.0.1", undefined],
  ["nothing for a host name that is not resolved yet", admin, "web.internal", undefined],
  ["nothing for a port out of range", { ...socket, "dataplane.inspect.port": "65536" }, "10.0.0.1", undefined],
  ["nothing for a port that is no number", { ...socket, "dataplane.inspect.port": "1e3" }, "10.0.0.1", undefined],
  ["nothing for a node that says nothing", {}, "10.0.0.1", undefined],
] as const;

for (const [what, metadata, address, port] of cases) {
  test(`inspectAddress() gives ${what}`, () => {
    const target = adminTarget(metadata);
    assert.equal(target && inspectAddress(target, address)?.port, port);
  });
}
