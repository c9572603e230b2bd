import assert from "node:assert/strict";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { startApi } from "./testkit/running-api.ts";

const HIDDEN = "DELETE /zones/hidden HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
const HEAD = "PUT /zones/east HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

// Each holds a second request that somebody in front of the server, reading it another way, would not see.
const ambiguous: readonly (readonly [string, string])[] = [
  [
    "both a length and chunks",
    `${HEAD}Content-Length: ${5 + HIDDEN.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  ],
  ["chunks and a length", `${HEAD}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ["two lengths", `${HEAD}Content-Length: 0\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`],
  ["a length with a sign", `${HEAD}Content-Length: +0\r\n\r\n${HIDDEN}`],
  ["a length in hexadecimal", `${HEAD}Content-Length: 0x0\r\n\r\n${HIDDEN}`],
  ["a length that is a list", `${HEAD}Content-Length: 0, ${HIDDEN.length}\r\n\r\n${HIDDEN}`],
  ["an encoding nobody knows", `${HEAD}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ["an encoding after chunks", `${HEAD}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ["a space before the colon", `${HEAD}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ["an encoding on a folded line", `${HEAD}Transfer-Encoding:\r\n chunked\r\nContent-Length: 0\r\n\r\n${HIDDEN}`],
  ["a folded header", `${HEAD}X-A: b\r\n Content-Length: 0\r\n\r\n${HIDDEN}`],
  ["a carriage return alone", `${HEAD}X-A: b\rContent-Length: 0\r\n\r\n${HIDDEN}`],
  ["line feeds alone", `${HEAD}X-A: b\nContent-Length: 0\n\n${HIDDEN}`],
  ["a chunk size that is none", `${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n${HIDDEN}`],
  ["a chunk size without end", `${HEAD}Transfer-Encoding: chunked\r\n\r\n${"f".repeat(40)}\r\n${HIDDEN}`],
  ["a chunk ended by a line feed", `${HEAD}Transfer-Encoding: chunked\r\n\r\n0\n\n${HIDDEN}`],
  ["a chunk longer than it says", `${HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n${HIDDEN}`],
  ["a NUL in a header", `${HEAD}X-A: \u0000\r\nContent-Length: 0\r\n\r\n${HIDDEN}`],
  ["two hosts", "GET /zones HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"],
  ["no host", `GET /zones HTTP/1.1\r\n\r\n${HIDDEN}`],
  ["a version that is none", `GET /zones HTTP/9.1\r\nHost: localhost\r\n\r\n${HIDDEN}`],
  ["a space in the path", `GET /zones x HTTP/1.1\r\nHost: localhost\r\n\r\n${HIDDEN}`],
];

for (const [what, bytes] of ambiguous) {
  test(`createApi() never sees a second request behind one with ${what}`, async () => {
    const seen: string[] = [];
    await using api = await startApi({ observe: ({ method, status }) => void seen.push(`${method} ${status}`) });
    const socket = connect({ host: "127.0.0.1", port: Number(new URL(api.url).port) });
    socket.on("error", () => undefined);
    socket.end(bytes);
    const answer = await text(socket).catch(() => "");
    assert.deepEqual(
      seen.filter((each) => each.startsWith("DELETE")),
      [],
      answer,
    );
    assert.ok((answer.match(/^HTTP\/1\.1 /gm) ?? []).length <= 1, answer);
    assert.match(answer, /^($|HTTP\/1\.1 4\d\d )/);
    assert.equal((await api.call("GET", "/who-am-i")).status, 200);
  });
}

const traversals = ["..%2f", "%2e%2e%2f", "..%252f", "%252e%252e%252f", "..%5c", "%00", "..%c0%af", "....//"];

for (const piece of traversals) {
  for (const path of [
    `/meshes/${piece}x`,
    `/meshes/default/dataplanes/${piece}${piece}etc%2fpasswd`,
    `/${piece}config`,
  ]) {
    test(`createApi() takes ${path} for a name that nobody has, to read and to write`, async () => {
      await using api = await startApi();
      for (const method of ["GET", "PUT", "DELETE"]) {
        const { status, text: said } = await api.call(method, path, method === "PUT" ? { body: { type: "Mesh" } } : {});
        assert.ok(status >= 400 && status < 500, `${method}: ${status} ${said}`);
        assert.doesNotMatch(said, /root:/);
      }
    });
  }
}

test("createApi() answers others in time while it is sent bodies of 10 MB, and bodies 10,000 levels deep", async () => {
  await using api = await startApi();
  const path = "/meshes/default/dataplanes/web";
  const bodies = [
    "x".repeat(10_000_000),
    "[".repeat(10_000),
    `{"a":${"[".repeat(10_000)}`,
    `"${"\\u0041".repeat(160_000)}"`,
  ];
  const yaml = { "content-type": "application/yaml" };
  for (const body of bodies) {
    for (const headers of [{}, yaml]) {
      const before = process.threadCpuUsage();
      const { status } = await api.call("PUT", path, { body, headers }).catch(() => ({ status: 413 }));
      const { user, system } = process.threadCpuUsage(before);
      assert.ok(status === 400 || status === 413, String(status));
      // The client runs in this very thread, and writes as much as the server reads.
      assert.ok(user + system < 200_000, `${(user + system) / 1_000} ms for ${body.slice(0, 20)}`);
    }
  }
});
