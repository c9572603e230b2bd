import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { chooseInspectPort } from "./inspect-port.ts";

const none = { inspectPort: undefined, adminPort: undefined, networking: undefined };

test("chooseInspectPort() takes the user's port, and none for 0", async () => {
  assert.equal(await chooseInspectPort({ ...none, inspectPort: 9_901 }), 9_901);
  assert.equal(await chooseInspectPort({ ...none, inspectPort: 0 }), undefined);
});

test("chooseInspectPort() finds a port on which one can listen, another for each", async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, () => chooseInspectPort(none)));
  assert.equal(new Set(ports).size, 20);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const server = createServer().once("error", reject).listen(ports[0], "127.0.0.1", resolve);
  await promise;
  server.close();
});

test("chooseInspectPort() leaves an admin port on the Dataplane's own address to be found, but not one on loopback", async () => {
  const admin = { port: 9_901 };
  assert.equal(await chooseInspectPort({ ...none, networking: { address: "10.0.0.1", admin } }), undefined);
  assert.equal(await chooseInspectPort({ ...none, adminPort: 9_901, networking: { address: "10.0.0.1" } }), undefined);
  assert.ok(await chooseInspectPort({ ...none, networking: { address: "127.0.0.1", admin } }));
  assert.ok(await chooseInspectPort({ ...none, networking: { address: "10.0.0.1" } }));
});
