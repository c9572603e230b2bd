import assert from "node:assert/strict";
import { test } from "node:test";
import { explainUnreachable, TimedOut } from "./explain-unreachable.ts";

const coded = (code: string): Error => Object.assign(new Error(`failed: ${code}`), { code });

const cases = [
  ["ECONNREFUSED", /nothing listens there/, /heddle cp run/],
  ["ENOTFOUND", /no such host/, /HEDDLE_ADDRESS/],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", /signed by itself/, /--ca-cert-file/],
  ["ERR_TLS_CERT_ALTNAME_INVALID", /another host name/, /host name of the certificate/],
  ["HPE_INVALID_CONSTANT", /does not speak HTTP/, /5681.*5682.*5678/],
  ["EPROTO", /does not speak TLS/, /5681/],
] as const;
for (const [code, state, next] of cases) {
  test(`explainUnreachable() says what ${code} means and what to do`, () => {
    const error = explainUnreachable("http://cp:5681", "list the meshes", coded(code));
    assert.match(error.message, /^Cannot list the meshes: the control plane at http:\/\/cp:5681 cannot be reached, /);
    assert.match(error.message, state);
    assert.match(error.next.join("\n"), next);
  });
}

test("explainUnreachable() tells the first reason when a name has several addresses", () => {
  const error = explainUnreachable(
    "http://cp",
    "x",
    new AggregateError([coded("ECONNREFUSED"), coded("ECONNREFUSED")]),
  );
  assert.match(error.message, /nothing listens there/);
});

test("explainUnreachable() says how long was waited", () => {
  assert.match(explainUnreachable("http://cp", "x", new TimedOut(60_000)).message, /no answer in 1 m 0 s/);
});
