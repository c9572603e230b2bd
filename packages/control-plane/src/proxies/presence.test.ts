import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { DataplaneFacts } from "@heddle/engine/snapshot/snapshot.ts";
import { Presence } from "./presence.ts";

/** A presence of one proxy, "web", that listens on `port`; tells what it was told. */
function watch(port: number, graceMillis: number) {
  const seen: DataplaneFacts[] = [];
  const gone: boolean[] = [];
  const presence = new Presence({
    graceMillis,
    apply: (_mesh, _name, facts) => seen.push(facts),
    specOf: () => ({ networking: { address: "127.0.0.1", inbound: [{ port }] } }),
    onGone: (_mesh, _name, left) => gone.push(left),
  });
  return { presence, seen, gone, last: () => seen.at(-1) };
}

async function listening(): Promise<{ port: number; close: () => Promise<void> }> {
  const server = createServer((socket) => socket.destroy());
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const { port } = server.address() as { port: number };
  return { port, close: () => new Promise((done) => server.close(() => done())) };
}

test("Presence tells that a proxy is there, then that it is warm, and repeats nothing", () => {
  const { presence, seen } = watch(1, 1_000);
  presence.connected("default", "web");
  presence.synced("default", "web", true);
  presence.synced("default", "web", true);
  assert.deepEqual(
    seen.map(({ online, warm, tlsReady }) => [online, warm, tlsReady]),
    [
      [true, false, false],
      [true, true, true],
    ],
  );
  presence.stop();
});

test("Presence takes a proxy out at once when its port refuses connections", async () => {
  const { port, close } = await listening();
  await close();
  const { presence, last, gone } = watch(port, 10_000);
  presence.connected("default", "web");
  presence.synced("default", "web", false);
  presence.disconnected("default", "web");
  await sleep(200);
  assert.equal(last()?.online, false);
  assert.deepEqual(gone, []);
  presence.stop();
});

test("Presence keeps a proxy whose port still answers until its grace is over", async (t) => {
  const { port, close } = await listening();
  t.after(close);
  const { presence, last, gone } = watch(port, 300);
  presence.connected("default", "web");
  presence.disconnected("default", "web");
  await sleep(150);
  assert.equal(last()?.online, true);
  await sleep(400);
  assert.equal(last()?.online, false);
  assert.deepEqual(gone, [false]);
});

test("Presence forgets a loss of connection when the proxy comes back", async (t) => {
  const { port, close } = await listening();
  t.after(close);
  const { presence, last, gone } = watch(port, 100);
  presence.connected("default", "web");
  presence.disconnected("default", "web");
  presence.connected("default", "web");
  await sleep(250);
  assert.equal(last()?.online, true);
  assert.deepEqual(gone, []);
  presence.stop();
});

test("Presence tells a goodbye from a loss", () => {
  const { presence, seen, gone } = watch(1, 10_000);
  presence.connected("default", "web");
  presence.leaving("default", "web");
  assert.equal(seen.at(-1)?.leaving, true);
  presence.disconnected("default", "web");
  assert.deepEqual(gone, [true]);
});

test("Presence counts a proxy from before a restart as there", () => {
  const { presence } = watch(1, 10_000);
  presence.expect("default", "web", { tlsReady: true });
  assert.deepEqual(presence.factsOf("default", "web"), {
    online: true,
    warm: true,
    tlsReady: true,
    leaving: false,
    unhealthy: [],
  });
  presence.stop();
});
