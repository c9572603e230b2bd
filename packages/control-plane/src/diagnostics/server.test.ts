import assert from "node:assert/strict";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { Registry } from "prom-client";
import { serveDiagnostics } from "./server.ts";

const answers: readonly (readonly [target: string, status: RegExp])[] = [
  ["//", /^HTTP\/1\.1 404 /],
  ["http://[", /^HTTP\/1\.1 40[04] /],
  ["//evil:99999/ready", /^HTTP\/1\.1 404 /],
  ["/ready?x=%", /^HTTP\/1\.1 200 /],
];

for (const [target, status] of answers) {
  test(`serveDiagnostics() answers GET ${target}, and goes on`, async () => {
    await using server = await serveDiagnostics({ host: "127.0.0.1", port: 0, registry: new Registry() });
    const ask = (path: string): Promise<string> => {
      const socket = connect({ host: "127.0.0.1", port: server.port });
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      return text(socket);
    };
    assert.match(await ask(target), status);
    assert.match(await ask("/ready"), /^HTTP\/1\.1 200 /);
  });
}
