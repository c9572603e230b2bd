import assert from "node:assert/strict";
import { test } from "node:test";
import { startApi } from "./testkit/running-api.ts";

const zone = { type: "Zone", name: "east" };

test("createApi() writes over the version that if-match names, and over no other", async () => {
  await using api = await startApi();
  await api.call("PUT", "/zones/east", { body: { ...zone, enabled: true } });
  const { etag } = (await api.call("GET", "/zones/east")).headers;
  assert.match(String(etag), /^"\d+"$/);
  const headers = { "if-match": String(etag) };
  const first = await api.call("PUT", "/zones/east", { body: { ...zone, enabled: false }, headers });
  const second = await api.call("PUT", "/zones/east", { body: { ...zone, enabled: true }, headers });
  assert.deepEqual([first.status, second.status], [200, 409]);
  assert.match(
    String(second.json()["detail"]),
    /^Cannot write the resource: it is at version \d+ now, not \d+; get it again and repeat the change$/,
  );
  assert.equal((await api.call("GET", "/zones/east")).json()["enabled"], false);
  assert.equal((await api.call("DELETE", "/zones/east", { headers })).status, 409);
  const now = { "if-match": String(first.headers.etag) };
  assert.equal((await api.call("DELETE", "/zones/east", { headers: now })).status, 200);
});

const preconditions = [
  ["if-match on what does not exist", { "if-match": '"7"' }, false, 409],
  ["if-match: * on what does not exist", { "if-match": "*" }, false, 409],
  ["if-match: * on what exists", { "if-match": "*" }, true, 200],
  ["if-none-match: * on what does not exist", { "if-none-match": "*" }, false, 201],
  ["if-none-match: * on what exists", { "if-none-match": "*" }, true, 409],
  ["if-match that is no version", { "if-match": "latest" }, true, 400],
  ["if-none-match with a version", { "if-none-match": '"1"' }, true, 400],
] as const;

for (const [what, headers, exists, status] of preconditions) {
  test(`createApi() answers a PUT with ${what} with ${status}`, async () => {
    await using api = await startApi();
    if (exists) await api.call("PUT", "/zones/east", { body: zone });
    assert.equal((await api.call("PUT", "/zones/east", { body: { ...zone, enabled: true }, headers })).status, status);
  });
}

test("createApi() lets the last writer win when nobody names a version", async () => {
  await using api = await startApi();
  const writes = Array.from({ length: 20 }, (_, index) =>
    api.call("PUT", "/zones/east", { body: { ...zone, labels: { writer: String(index) } } }),
  );
  const statuses = (await Promise.all(writes)).map((reply) => reply.status);
  assert.deepEqual(statuses.toSorted(), [...Array.from({ length: 19 }, () => 200), 201]);
});

test("createApi() lets one of many win who all name the same version", async () => {
  await using api = await startApi();
  const { etag } = (await api.call("PUT", "/zones/east", { body: zone })).headers;
  const headers = { "if-match": String(etag) };
  const writes = Array.from({ length: 10 }, (_, index) =>
    api.call("PUT", "/zones/east", { body: { ...zone, labels: { writer: String(index) } }, headers }),
  );
  const statuses = (await Promise.all(writes)).map((reply) => reply.status);
  assert.deepEqual(statuses.toSorted(), [200, ...Array.from({ length: 9 }, () => 409)]);
});
