import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { test, type TestContext } from "node:test";
import type { CertificateAndKey } from "@heddle/identity/certificate.ts";
import { adminKeysFrom } from "./admin-keys.ts";
import { askEnvoy, type EnvoyAnswer } from "./ask-envoy.ts";

const keys = adminKeysFrom({ seed: Buffer.alloc(32, 1), created: new Date("2026-01-01T00:00:00Z") });
const otherKeys = adminKeysFrom({ seed: Buffer.alloc(32, 2), created: new Date("2026-01-01T00:00:00Z") });

/** Something that answers as proxy web-1, or as whom `shown` says. Gives a way to ask it as web-1. */
async function proxy(
  t: TestContext,
  answer: RequestListener,
  shown = keys.certificateOf("default", "web-1"),
): Promise<() => Promise<EnvoyAnswer>> {
  const server = createServer(
    { ...pair(shown), ca: keys.callersPem, requestCert: true, rejectUnauthorized: true },
    answer,
  );
  const port = await listening(server);
  t.after(() => server.close().closeAllConnections());
  const limits = { millis: 500, bytes: 1_000 };
  return () => askEnvoy(keys, { mesh: "default", name: "web-1", host: "127.0.0.1", port, path: "/stats", limits });
}

test("askEnvoy() gives what the proxy answers", async (t) => {
  const ask = await proxy(t, ({ url, method }, response) => {
    response.writeHead(404, { "content-type": "text/x" }).end(`${method} ${url}`);
  });
  assert.deepEqual(await ask(), { status: 404, contentType: "text/x", body: "GET /stats" });
});

test("askEnvoy() stops reading an answer that is too large", async (t) => {
  const ask = await proxy(t, (_request, response) => void response.end("x".repeat(1_001)));
  await assert.rejects(ask, { name: "EnvoySilence", message: "its answer is larger than 1000 bytes" });
});

test("askEnvoy() gives up when no answer, or no whole one, comes in time", async (t) => {
  const silent = await proxy(t, () => undefined);
  await assert.rejects(silent, { message: "it gave no whole answer within 500 ms" });
  const slow = await proxy(t, (_request, response) => void response.write("the beginning"));
  await assert.rejects(slow, { message: "it gave no whole answer within 500 ms" });
});

for (const [who, shown] of [
  ["another proxy", keys.certificateOf("default", "web-2")],
  ["a proxy of the same name in another mesh", keys.certificateOf("other", "web-1")],
  ["a proxy of another store's control planes", otherKeys.certificateOf("default", "web-1")],
  ["a control plane", keys.caller],
] as const) {
  test(`askEnvoy() asks nothing of ${who}`, async (t) => {
    let asked = 0;
    const ask = await proxy(t, () => (asked += 1), shown);
    await assert.rejects(ask, { name: "EnvoySilence", message: /who answers there is not this proxy/ });
    assert.equal(asked, 0);
  });
}

test("askEnvoy() tells a proxy that knows other control planes only, a closed port and a silent one apart", async (t) => {
  const server = createServer({
    ...pair(keys.certificateOf("default", "web-1")),
    ca: otherKeys.callersPem,
    requestCert: true,
    rejectUnauthorized: true,
  });
  // Takes connections and never says a word, as a firewall or a strange server does.
  const silent = createTcpServer();
  const ports = await Promise.all([server, silent].map(listening));
  t.after(() => {
    server.close().closeAllConnections();
    silent.close();
  });
  const ended = createTcpServer();
  const closed = await listening(ended);
  ended.close();
  const limits = { millis: 300, bytes: 1_000 };
  const ask = (port: number | undefined): Promise<EnvoyAnswer> =>
    askEnvoy(keys, { mesh: "default", name: "web-1", host: "127.0.0.1", port: port ?? 0, path: "/stats", limits });
  await assert.rejects(ask(ports[0]), { message: /does not know this control plane/ });
  await assert.rejects(ask(ports[1]), { message: /it cannot be reached from here/ });
  await assert.rejects(ask(closed), { message: /nobody listens there/ });
});

function pair({ certificatePem, keyPem }: CertificateAndKey): { cert: string; key: string } {
  return { cert: certificatePem, key: keyPem };
}

async function listening(server: Server): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  return await promise;
}
