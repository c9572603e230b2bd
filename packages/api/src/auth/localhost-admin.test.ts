import assert from "node:assert/strict";
import { test } from "node:test";
import { startApi } from "../testkit/running-api.ts";
import type { Caller } from "./caller.ts";
import { isLocalhostAdmin } from "./localhost-admin.ts";

function caller(headers: Readonly<Record<string, string>>, change: Partial<Caller> = {}): Caller {
  const all = { host: "localhost:5681", ...headers };
  return {
    address: "127.0.0.1",
    encrypted: false,
    target: "/config",
    headers: Object.fromEntries(Object.entries(all).map(([name, value]) => [name, [value]])),
    ...change,
  };
}

const accepted: readonly (readonly [string, Caller])[] = [
  ["a plain local call", caller({})],
  ["the loopback by IPv4", caller({ host: "127.0.0.1:5681" })],
  ["another loopback address", caller({ host: "127.9.8.7" }, { address: "127.9.8.7" })],
  ["the loopback by IPv6", caller({ host: "[::1]:5681" }, { address: "::1" })],
  ["an IPv4 peer on an IPv6 socket", caller({}, { address: "::ffff:127.0.0.1" })],
  ["a host in capitals", caller({ host: "LOCALHOST:5681" })],
  ["a page of the same origin", caller({ origin: "http://localhost:5681", "sec-fetch-site": "same-origin" })],
  ["a person who typed the address", caller({ "sec-fetch-site": "none" })],
  ["an origin with the default port written out", caller({ host: "localhost", origin: "http://localhost:80" })],
  ["an https origin without its default port", caller({ host: "localhost:443", origin: "https://localhost" })],
  ["https on the default port", caller({ host: "localhost", origin: "https://localhost" }, { encrypted: true })],
];

for (const [what, given] of accepted) {
  test(`isLocalhostAdmin() accepts ${what}`, () => {
    assert.equal(isLocalhostAdmin(given), true);
  });
}

const refused: readonly (readonly [string, Caller])[] = [
  ["a peer on another machine", caller({}, { address: "192.0.2.9" })],
  ["a peer on another machine by IPv6", caller({}, { address: "2001:db8::9" })],
  ["a peer that has gone", caller({}, { address: undefined })],
  ["a proxy that says Forwarded", caller({ forwarded: "for=192.0.2.9" })],
  ["a proxy that says X-Forwarded-For", caller({ "x-forwarded-for": "192.0.2.9" })],
  ["a proxy that says X-Forwarded-For 127.0.0.1", caller({ "x-forwarded-for": "127.0.0.1" })],
  ["an empty X-Forwarded-For", caller({ "x-forwarded-for": "" })],
  ["a proxy that says X-Real-IP", caller({ "x-real-ip": "192.0.2.9" })],
  ["a foreign name that resolves here (DNS rebinding)", caller({ host: "evil.example:5681" })],
  ["a name that starts like localhost", caller({ host: "localhost.evil.example:5681" })],
  ["an address that starts like the loopback", caller({ host: "127.0.0.1.evil.example" })],
  ["another address", caller({ host: "192.0.2.9:5681" })],
  ["the wildcard address", caller({ host: "0.0.0.0:5681" })],
  ["a short form of the loopback", caller({ host: "127.1:5681" })],
  ["a port that is none", caller({ host: "localhost:http" })],
  ["a port out of range", caller({ host: "localhost:70000" })],
  ["port zero", caller({ host: "localhost:0" })],
  ["an empty port", caller({ host: "localhost:" })],
  ["an empty host", caller({ host: "" })],
  ["user information in the host", caller({ host: "localhost@evil.example" })],
  ["no host", caller({}, { headers: {} })],
  ["two hosts", caller({}, { headers: { host: ["localhost:5681", "evil.example"] } })],
  ["a page of another site", caller({ "sec-fetch-site": "cross-site" })],
  ["a page of another port", caller({ "sec-fetch-site": "same-site" })],
  ["an unknown Sec-Fetch-Site", caller({ "sec-fetch-site": "" })],
  ["a foreign origin", caller({ origin: "http://evil.example" })],
  ["an opaque origin", caller({ origin: "null" })],
  ["an empty origin", caller({ origin: "" })],
  ["an origin on another port", caller({ origin: "http://localhost:8080" })],
  ["an origin under another local name", caller({ origin: "http://127.0.0.1:5681" })],
  ["an origin of another scheme", caller({ host: "localhost", origin: "https://localhost" })],
  ["an origin that is no web page", caller({ origin: "chrome-extension://localhost:5681" })],
  ["an origin with a path", caller({ origin: "http://localhost:5681/x" })],
  ["an origin with a trailing slash", caller({ origin: "http://localhost:5681/" })],
  ["an origin with a query", caller({ origin: "http://localhost:5681?x" })],
  ["an origin with user information", caller({ origin: "http://a@localhost:5681" })],
  ["two origins", caller({}, { headers: { host: ["localhost:5681"], origin: ["http://localhost:5681", "http://x"] } })],
  ["a request to a proxy", caller({}, { target: "http://localhost:5681/config" })],
];

for (const [what, given] of refused) {
  test(`isLocalhostAdmin() refuses ${what}`, () => {
    assert.equal(isLocalhostAdmin(given), false);
  });
}

const ANONYMOUS = { name: "mesh-system:anonymous", groups: ["mesh-system:unauthenticated"] };

const overHttp = [
  ["Host: evil.example", { host: "evil.example" }],
  ["Origin: http://evil.example", { origin: "http://evil.example" }],
  ["Sec-Fetch-Site: cross-site", { "sec-fetch-site": "cross-site" }],
  ["Forwarded", { forwarded: "for=1.2.3.4" }],
  ["X-Forwarded-For", { "x-forwarded-for": "1.2.3.4" }],
  ["X-Real-IP", { "x-real-ip": "1.2.3.4" }],
] as const;

for (const [what, headers] of overHttp) {
  test(`createApi() takes a local caller with ${what} for anonymous, who gets no secret`, async () => {
    await using api = await startApi();
    assert.deepEqual((await api.call("GET", "/who-am-i", { headers })).json(), ANONYMOUS);
    assert.equal((await api.call("GET", "/globalsecrets", { headers })).status, 403);
  });
}

test("createApi() takes a local caller for the admin", async () => {
  await using api = await startApi();
  assert.deepEqual((await api.call("GET", "/who-am-i")).json(), {
    name: "mesh-system:admin",
    groups: ["mesh-system:admin", "mesh-system:authenticated"],
  });
});

test("createApi() takes a local caller for anonymous when localhostIsAdmin is off", async () => {
  await using api = await startApi({}, { localhostIsAdmin: false });
  assert.deepEqual((await api.call("GET", "/who-am-i")).json(), ANONYMOUS);
});
