import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { CheckRequestSchema } from "@heddle/envoy/gen/envoy/service/auth/v3/external_auth_pb.js";
import { inputOf } from "./opa-input.ts";

const asked = (path: string) => inputOf(create(CheckRequestSchema, { attributes: { request: { http: { path } } } }));

test("inputOf() has every value of every parameter, in order", () => {
  const { parsed_path, parsed_query } = asked("/a%20b/c?x=1&y=&x=2&__proto__=z");
  assert.deepEqual(parsed_path, ["a b", "c"]);
  assert.deepEqual(Object.entries(parsed_query as object), [
    ["x", ["1", "2"]],
    ["y", [""]],
    ["__proto__", ["z"]],
  ]);
});

test("inputOf() has the body's keys as the service behind reads them, whatever other bodies had", () => {
  const bodied = (body: string) =>
    inputOf(
      create(CheckRequestSchema, {
        attributes: { request: { http: { headers: { "content-type": "application/json" }, body } } },
      }),
    ).parsed_body;
  for (let times = 0; times < 5; times += 1) bodied('{"user":"eve","is_admi\\\\":true}');
  assert.deepEqual(bodied('{"user":"eve","is_admi\\u006e":true}'), { user: "eve", is_admin: true });
});

test("inputOf() takes as many parameters as Envoy lets a caller send without keeping others waiting", () => {
  const path = `/?${Array.from({ length: 12_000 }, (_, index) => index.toString(36)).join("&")}`;
  const times = Array.from({ length: 4 }, () => {
    const before = process.threadCpuUsage();
    asked(path);
    const { user, system } = process.threadCpuUsage(before);
    return user + system;
  });
  assert.ok(Math.min(...times) < 50_000, `it took ${times.join()} µs`);
});
