import assert from "node:assert/strict";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { proxyDocument, startApi } from "./testkit/running-api.ts";

const PATH = "/meshes/default/dataplanes/web";

const deep = (open: string, close: string, levels: number): string => open.repeat(levels) + close.repeat(levels);

const refusedBodies: readonly (readonly [string, string, RegExp])[] = [
  ["lists nested 200,000 deep", deep("[", "]", 200_000), /nests deeper than 64 levels/],
  ["objects nested 100,000 deep", deep('{"a":', "}", 100_000), /nests deeper than 64 levels/],
  ["nesting in an open field", `{"metrics":${deep("[", "]", 65)}}`, /nests deeper than 64 levels/],
  ["brackets that never close", "{".repeat(500_000), /nests deeper than 64 levels/],
  ["__proto__ at the top", '{"__proto__":{"name":"x"}}', /the key "__proto__" is refused/],
  ["__proto__ among labels", '{"labels":{"__proto__":"x"}}', /the key "__proto__" is refused/],
  ["__proto__ in escapes", '{"labels":{"\\u005f_proto__":{"a":"x"}}}', /the key "__proto__" is refused/],
  ["a key twice", '{"name":"web","name":"api"}', /the key "name" stands twice in one object/],
  ["a key twice, once in escapes", '{"name":"web","n\\u0061me":"api"}', /the key "name" stands twice/],
  [
    "100,000 labels",
    JSON.stringify({ labels: Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`l${index}`, "x"])) }),
    /more than 1000 keys/,
  ],
  ["a list of 100,000 items", JSON.stringify(Array.from({ length: 100_000 }, () => 1)), /more than 5000 items/],
  [
    "lists of lists",
    JSON.stringify(Array.from({ length: 60 }, () => Array.from({ length: 1_000 }, () => 1))),
    /more than 50000 values/,
  ],
  ["a number", "1e999", /Resource is not valid/],
  ["null", "null", /Resource is not valid/],
  ["half a document", '{"type":"Dataplane","networking":{', /Cannot read the body as JSON/],
  ["a byte order mark in the middle", '{"a":\uFEFF1}', /Cannot read the body as JSON/],
  ["a lone surrogate as a name", '{"name":"\\ud800"}', /Resource is not valid/],
];

for (const [what, body, detail] of refusedBodies) {
  test(`createApi() refuses ${what} with 400 and stays up`, async () => {
    await using api = await startApi();
    const reply = await api.call("PUT", PATH, { body });
    assert.equal(reply.status, 400);
    assert.match(String(reply.json()["detail"]), detail);
    assert.equal((await api.call("GET", "/who-am-i")).status, 200);
  });
}

const bomb = [
  "a: &a [x,x,x,x,x,x,x,x,x,x]",
  ..."bcdefgh".split("").map((name, index) => `${name}: &${name} [${`*${"abcdefg"[index]},`.repeat(10)}]`),
].join("\n");

const refusedYaml: readonly (readonly [string, string, RegExp])[] = [
  ["aliases that expand to gigabytes", bomb, /Excessive alias count/],
  ["brackets by the thousand", "[".repeat(60_000), /nests deeper than 64 levels/],
  ["dashes by the thousand", "- ".repeat(30_000), /nests deeper than 64 levels/],
  ["nesting by mixed brackets", "{a: [".repeat(13_000), /Cannot read the body as YAML/],
  ["nesting by indentation", Array.from({ length: 300 }, (_, index) => `${" ".repeat(index)}k:`).join("\n"), /deeper/],
  ["a key twice", "name: web\nname: api\n", /the key "name" stands twice/],
  ["__proto__", "__proto__:\n  name: x\n", /the key "__proto__" is refused/],
  ["quotes by the thousand", '"'.repeat(60_000), /Cannot read the body as YAML/],
  ["anchors by the thousand", "&a ".repeat(20_000), /Cannot read the body as YAML/],
  ["tags of a language", "name: !!js/function 'function () {}'\n", /Resource is not valid|Cannot read/],
  ["two documents", "name: web\n---\nname: api\n", /Cannot read the body as YAML/],
  ["a number that is none", "networking: {address: .nan}\n", /numbers must be finite/],
];

for (const [what, body, detail] of refusedYaml) {
  test(`createApi() refuses YAML with ${what} and stays up`, async () => {
    await using api = await startApi();
    const started = performance.now();
    const reply = await api.call("PUT", PATH, { body, headers: { "content-type": "application/yaml" } });
    assert.equal(reply.status, 400);
    assert.match(String(reply.json()["detail"]), detail);
    assert.ok(performance.now() - started < 5_000, "reading must not take seconds");
    assert.equal((await api.call("GET", "/who-am-i")).status, 200);
  });
}

test("createApi() takes keys that only look like tricks for what they are: unknown or harmless", async () => {
  await using api = await startApi();
  const labels = { constructor: "x", toString: "x", prototype: "x" };
  assert.equal((await api.call("PUT", PATH, { body: proxyDocument("web", { labels }) })).status, 201);
  const stored = (await api.call("GET", PATH)).json()["labels"] as Record<string, unknown>;
  assert.deepEqual([stored["constructor"], stored["toString"]], ["x", "x"]);
  assert.equal(
    (await api.call("PUT", PATH, { body: { ...proxyDocument("web"), constructor: { prototype: { a: 1 } } } })).status,
    400,
  );
  assert.equal((await api.call("GET", "/meshes/default/dataplanes?filter[labels.__proto__]=x")).status, 200);
  assert.equal((await api.call("GET", "/meshes/__proto__/dataplanes")).status, 404);
  assert.equal((await api.call("GET", "/constructor")).status, 404);
  assert.equal(({} as Record<string, unknown>)["a"], undefined);
});

test("createApi() bounds the mistakes it lists", async () => {
  await using api = await startApi();
  const inbound = Array.from({ length: 4_000 }, () => ({ prot: 1 }));
  const reply = await api.call("PUT", PATH, { body: proxyDocument("web", { networking: { address: "x", inbound } }) });
  const parameters = reply.json()["invalid_parameters"] as { reason: string }[];
  assert.deepEqual([reply.status, parameters.length], [400, 101]);
  assert.match(parameters[100]?.reason ?? "", /^and \d+ more mistakes$/);
});

const oddPaths = [
  "//evil/x",
  "/../etc/passwd",
  "/%2e%2e/x",
  "/meshes/%00/dataplanes",
  `/${"a/".repeat(500)}`,
  `/zones/${"z".repeat(5_000)}`,
];
for (const path of oddPaths) {
  test(`createApi() answers GET ${path.slice(0, 40)} with 4xx`, async () => {
    await using api = await startApi();
    const { status } = await api.call("GET", path);
    assert.ok(status >= 400 && status < 500, String(status));
  });
}

async function raw(url: string, bytes: string): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: Number(new URL(url).port) });
  socket.write(bytes);
  return text(socket);
}

test("createApi() does not take a request to a proxy for one of its admin", async () => {
  await using api = await startApi();
  const host = "Host: localhost\r\nConnection: close\r\n\r\n";
  assert.match(await raw(api.url, `GET http://evil.example/globalsecrets HTTP/1.1\r\n${host}`), /^HTTP\/1\.1 403 /);
  assert.match(
    await raw(api.url, `GET /globalsecrets HTTP/1.1\r\nHost: evil.example\r\n${host}`),
    /^HTTP\/1\.1 [34]0[03] /,
  );
});

test("createApi() cuts off who sends headers too slowly, and who sends a body too slowly", async () => {
  await using api = await startApi({}, { timeouts: { headers: 200, read: 400, write: 5_000, idle: 5_000 } });
  assert.match(await raw(api.url, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "), /^HTTP\/1\.1 408 /);
  const half =
    "PUT /zones/east HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{";
  assert.match(await raw(api.url, half), /^(HTTP\/1\.1 408 |$)/);
  assert.equal((await api.call("GET", "/")).status, 200);
});
