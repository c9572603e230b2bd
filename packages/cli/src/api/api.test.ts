import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { startFake } from "../testkit/fake-control-plane.ts";
import { openApi, pathOf, type Api } from "./api.ts";
import { readPages } from "./pages.ts";

function apiAt(address: string, timeoutMillis = 5_000, signal = new AbortController().signal): Api {
  return openApi({ name: "", address, token: "secret", headers: { "x-team": "a" } }, { timeoutMillis, signal });
}

test("openApi() sends token, headers and repeated query values", async () => {
  await using fake = await startFake({ "GET /x": { body: { a: 1 } } });
  const answer = await apiAt(fake.address).json({
    path: "/x",
    query: { tag: ["a:1", "b:2"], none: undefined },
    action: "x",
  });
  assert.deepEqual(answer, { a: 1 });
  const [call] = fake.calls;
  assert.equal(call?.headers.authorization, "Bearer secret");
  assert.equal(call?.headers["x-team"], "a");
  assert.deepEqual(
    [...(call?.query ?? [])],
    [
      ["tag", "a:1"],
      ["tag", "b:2"],
    ],
  );
});

test("openApi() keeps the path of an address in front", async () => {
  await using fake = await startFake({ "GET /base/x": { body: {} } });
  await apiAt(`${fake.address}/base`).json({ path: "/x", action: "x" });
});

test("openApi() says that an answer is no JSON", async () => {
  await using fake = await startFake({ "GET /x": { body: "<html>" } });
  await assert.rejects(apiAt(fake.address).json({ path: "/x", action: "x" }), {
    message: /answers, but not with JSON/,
    details: ["<html>"],
  });
});

test("openApi() gives up on a server that says nothing", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    await assert.rejects(
      apiAt(`http://127.0.0.1:${port}`, 100).call({ path: "/", action: "x" }),
      /no answer in 0\.10 s/,
    );
  } finally {
    server.close();
  }
});

test("openApi() gives up on a body that never ends", async () => {
  await using fake = await startFake({
    "GET /x": {
      lines: [
        [0, { a: 1 }],
        [60_000, undefined],
      ],
    },
  });
  await assert.rejects(apiAt(fake.address, 200).call({ path: "/x", action: "x" }), /no answer in 0\.20 s/);
});

test("openApi() gives lines as they come, and an abort ends them with its reason", async () => {
  await using fake = await startFake({
    "GET /x": {
      lines: [
        [0, { n: 1 }],
        [0, { n: 2 }],
        [60_000, undefined],
      ],
    },
  });
  const stop = new AbortController();
  const seen: string[] = [];
  await assert.rejects(
    async () => {
      for await (const line of apiAt(fake.address, 5_000, stop.signal).lines({ path: "/x", action: "x" })) {
        seen.push(line);
        if (seen.length === 2) stop.abort();
      }
    },
    { name: "AbortError" },
  );
  assert.deepEqual(seen, ['{"n":1}', '{"n":2}']);
});

test("readPages() follows the pages to the end", async () => {
  await using fake = await startFake({
    "GET /things": ({ query }) =>
      query.get("offset") === null
        ? { body: { total: 3, items: [1, 2], next: `http://elsewhere/things?size=2&offset=b%3D` } }
        : { body: { total: 3, items: [3], next: null } },
  });
  const api = apiAt(fake.address);
  assert.deepEqual(await readPages(api, { path: "/things", action: "x" }), { total: 3, items: [1, 2, 3] });
  assert.deepEqual(
    fake.calls.map(({ query }) => query.get("offset")),
    [null, "b="],
  );
  const first = await readPages(api, { path: "/things", action: "x" }, { size: 2 });
  assert.deepEqual(first, { total: 3, items: [1, 2], nextOffset: "b=" });
});

test("readPages() stops at a server that gives the same page for ever", async () => {
  await using fake = await startFake({ "GET /things": { body: { total: 9, items: [1], next: "http://x/?offset=a" } } });
  assert.deepEqual((await readPages(apiAt(fake.address), { path: "/things", action: "x" })).items, [1, 1]);
});

test("pathOf() encodes what would lead elsewhere", () => {
  assert.equal(pathOf("meshes", "../secrets", "a?b#c"), "/meshes/..%2Fsecrets/a%3Fb%23c");
});
