import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpsRequest } from "node:https";
import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { createApi } from "../server.ts";
import { DEFAULT_SETTINGS } from "../settings.ts";
import { fakePorts } from "../testkit/fake-ports.ts";
import { call } from "../testkit/http-client.ts";
import { testCertificate } from "../testkit/test-certificate.ts";
import { listenFailure } from "./listen.ts";

test("listen() says who has the port and which setting changes it", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  await using api = await createApi(await fakePorts());
  const setting = "--api-http-port / HEDDLE_API_SERVER_HTTP_PORT";
  await assert.rejects(api.listen({ host: "127.0.0.1", port, setting }), (error: Error) => {
    const owner = process.platform === "linux" ? `, .+ \\(pid ${process.pid}\\),` : ".*";
    const message = `^Cannot listen on 127\\.0\\.0\\.1:${port}: another process${owner} has the port; `;
    assert.match(error.message, new RegExp(message));
    assert.ok(error.message.endsWith(`stop it or choose another with ${setting}`));
    return error.name === "ListenError";
  });
  other.close();
});

const failures = [
  ["EACCES", "Cannot listen on 127.0.0.1:80: this user may not listen on that port; choose another port"],
  ["EADDRNOTAVAIL", "Cannot listen on 127.0.0.1:80: this machine has no address 127.0.0.1; choose another port"],
] as const;

for (const [code, message] of failures) {
  test(`listenFailure() explains ${code}`, async () => {
    const error = Object.assign(new Error("listen failed"), { code });
    assert.equal((await listenFailure(error, { host: "127.0.0.1", port: 80 })).message, message);
  });
}

test("listen() serves HTTP and HTTPS with one handler", async () => {
  await using api = await createApi(await fakePorts());
  const { cert, key } = await testCertificate();
  const plain = await api.listen({ host: "127.0.0.1", port: 0 });
  const secure = await api.listen({ host: "127.0.0.1", port: 0, tls: { cert, key } });
  assert.match(secure.url, /^https:/);
  await call(plain.url, "PUT", "/zones/east", { body: {} });
  await call(plain.url, "PUT", "/zones/west", { body: {} });

  const over = httpsRequest(`${secure.url}/zones?size=1`, { ca: cert, servername: "localhost", agent: false }).end();
  const [response] = await once(over, "response");
  const page = JSON.parse(await text(response)) as { total: number; next: string };
  assert.equal(page.total, 2);
  assert.ok(page.next.startsWith(`${secure.url}/zones?`), page.next);
});

test("close() lets a request in flight finish, closes idle connections and takes no new one", async () => {
  const gate = Promise.withResolvers<void>();
  const ports = await fakePorts();
  const { store } = ports;
  const api = await createApi(ports, { ...DEFAULT_SETTINGS, closeGrace: 5_000 });
  const revision = store.revision.bind(store);
  store.revision = async () => {
    await gate.promise;
    return revision();
  };
  const { url } = await api.listen({ host: "127.0.0.1", port: 0 });
  const agent = new Agent({ keepAlive: true });
  const [idle] = await once(request(`${url}/`, { agent }).end(), "response");
  await text(idle);

  const inFlight = call(url, "PUT", "/zones/east", { body: {} });
  await new Promise((resolve) => setTimeout(resolve, 50));
  const started = performance.now();
  const closed = api.close();
  await assert.rejects(call(url, "GET", "/"), /ECONNREFUSED/);
  gate.resolve();
  assert.equal((await inFlight).status, 201);
  await closed;
  assert.ok(performance.now() - started < 4_000, "an idle connection must not hold the server");
  agent.destroy();
});
