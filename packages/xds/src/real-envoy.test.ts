import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startServer, TEST_TLS, TestControlPlane } from "./testkit/control-plane.ts";
import { edsCluster, endpoints, httpListener, refusedListener, routes, setOf } from "./testkit/envoy-mesh.ts";
import { startEnvoy } from "./testkit/real-envoy.ts";

test("serveXds() configures a real Envoy, follows changes, and has nothing to say after a restart", async () => {
  await using app = await application("hello");
  const port = await freePort();
  const set = setOf(edsCluster("app"), endpoints("app", app.port), httpListener("in", port, "r"), routes("r", "app"));
  const before = new TestControlPlane(set);
  const first = await startServer(before);
  await using envoy = await startEnvoy({ nodeId: "default.web", adsPort: first.port, ca: TEST_TLS.cert });
  await before.waitFor("Envoy is synced", () => before.events("synced").length > 0);
  assert.match(before.streams[0]?.request.node.version ?? "", /^1\.\d+\.\d+$/);
  assert.equal(await fetchBody(port), "hello");

  await first[Symbol.asyncDispose]();
  assert.equal(await fetchBody(port), "hello");
  const after = new TestControlPlane(set);
  await using _second = await startServer(after, { port: first.port });
  await after.waitFor("Envoy is synced again", () => after.events("synced").length > 0, 30_000);
  assert.deepEqual(after.events("sent"), []);
  assert.equal(await envoy.stat("listener_manager.lds.update_success"), 1);

  await using other = await application("moved");
  const moved = setOf(
    edsCluster("app"),
    endpoints("app", other.port),
    httpListener("in", port, "r"),
    routes("r", "app"),
  );
  after.publish(moved);
  await after.waitFor("the change is synced", () => after.events("synced").some((event) => event.set === moved));
  assert.equal(await fetchBody(port), "moved");
});

test("serveXds() brings a changed cluster of a real Envoy out of warming at once", async () => {
  await using app = await application("hello");
  const port = await freePort();
  const set = (timeout: string) =>
    setOf(edsCluster("app", timeout), endpoints("app", app.port), httpListener("in", port, "r"), routes("r", "app"));
  const controlPlane = new TestControlPlane(set("1s"));
  await using server = await startServer(controlPlane);
  await using envoy = await startEnvoy({ nodeId: "default.web", adsPort: server.port, ca: TEST_TLS.cert });
  await controlPlane.waitFor("Envoy is synced", () => controlPlane.events("synced").length > 0);
  const changed = set("2s");
  controlPlane.publish(changed);
  const isSynced = () => controlPlane.events("synced").some((event) => event.set === changed);
  await controlPlane.waitFor("the changed cluster is synced", isSynced, 5_000);
  assert.equal(await envoy.stat("cluster_manager.warming_clusters"), 0);
  assert.equal(await fetchBody(port), "hello");
});

test("serveXds() reports what a real Envoy refuses, and goes on with the rest", async () => {
  await using app = await application("hello");
  const port = await freePort();
  const good = [edsCluster("app"), endpoints("app", app.port), httpListener("in", port, "r"), routes("r", "app")];
  const controlPlane = new TestControlPlane(setOf(...good, refusedListener("bad"), refusedListener("worse")));
  await using server = await startServer(controlPlane);
  await using _envoy = await startEnvoy({ nodeId: "default.web", adsPort: server.port, ca: TEST_TLS.cert });
  await controlPlane.waitFor("Envoy is synced", () => controlPlane.events("synced").length > 0);
  const rejected = controlPlane.events("nacked").flatMap((event) => event.rejected.map(({ name }) => name));
  assert.deepEqual(rejected.sort(), ["bad", "worse"]);
  assert.equal(controlPlane.events("synced").at(-1)?.rejected, 2);
  assert.equal(await fetchBody(port), "hello");
});

test("serveXds() converges with a real Envoy over random changes, refusals and lost connections", async () => {
  await using app = await application("hello");
  const port = await freePort();
  const random = seeded(Number(process.env["XDS_SEED"] ?? Date.now()));
  const controlPlane = new TestControlPlane(randomSet(random, app.port, port));
  await using server = await startServer(controlPlane);
  await using envoy = await startEnvoy({ nodeId: "default.web", adsPort: server.port, ca: TEST_TLS.cert });
  await controlPlane.waitFor("Envoy is synced", () => controlPlane.events("synced").length > 0);
  for (let turn = 0; turn < 25; turn += 1) {
    for (let burst = 1 + random(4); burst > 0; burst -= 1) {
      controlPlane.publish(randomSet(random, app.port, port));
      if (random(3) === 0) await sleep(random(5));
    }
    if (random(8) === 0) controlPlane.streams.at(-1)?.request.end("unavailable", "a test cuts the stream");
  }
  const last = setOf(...backbone(app.port, port));
  controlPlane.publish(last);
  const isSynced = () =>
    controlPlane.streams.at(-1)?.events.some((event) => event.event === "synced" && event.set === last);
  await controlPlane.waitFor("the last set is synced", () => isSynced() === true, 30_000);
  assert.equal(await envoy.stat("cluster_manager.warming_clusters"), 0);
  assert.equal(await envoy.stat("cluster_manager.active_clusters"), 2, "the one for discovery, and the backbone's");
  assert.equal(await envoy.stat("listener_manager.total_listeners_active"), 1);
  assert.equal(await fetchBody(port), "hello");
});

function backbone(appPort: number, port: number, timeout = 1) {
  return [
    edsCluster("app", `${timeout}s`),
    endpoints("app", appPort),
    httpListener("in", port, "r"),
    routes("r", "app"),
  ];
}

/** The backbone, plus clusters that come and go, change, and have endpoints or not. */
function randomSet(random: (below: number) => number, appPort: number, port: number) {
  const extra = ["a", "b", "c"].filter(() => random(2) === 0);
  return setOf(
    ...backbone(appPort, port, 1 + random(2)),
    ...extra.map((name) => edsCluster(name, `${1 + random(3)}s`)),
    ...extra.filter(() => random(4) > 0).map((name) => endpoints(name, 1 + random(3))),
    ...(random(4) === 0 ? [refusedListener("bad")] : []),
  );
}

function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

async function application(text: string): Promise<AsyncDisposable & { readonly port: number }> {
  const server: Server = createServer((_request, response) => response.end(text));
  const port = await listen(server);
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function fetchBody(port: number): Promise<string> {
  const [response] = (await once(get({ host: "127.0.0.1", port, agent: false }), "response")) as [IncomingMessage];
  return (await response.toArray()).join("");
}
