import assert from "node:assert/strict";
import { test } from "node:test";
import { explainRefusal } from "./explain-refusal.ts";

const explain = (status: number, body: unknown) =>
  explainRefusal(
    "http://cp",
    { action: "apply MeshTimeout default/slow" },
    {
      status,
      headers: {},
      text: typeof body === "string" ? body : JSON.stringify(body),
    },
  );

test("explainRefusal() lists every wrong field of Kuma's error body", () => {
  const error = explain(400, {
    title: "Could not create a resource",
    detail: "Resource is not valid",
    invalid_parameters: [
      { field: "spec.to[0]", reason: "must be set" },
      { field: "spec.from", reason: "unknown field" },
    ],
    causes: [{ field: "spec.to[0]", message: "must be set" }],
  });
  assert.equal(
    error.message,
    "Cannot apply MeshTimeout default/slow: Could not create a resource: Resource is not valid",
  );
  assert.deepEqual(error.details, ["spec.to[0]: must be set", "spec.from: unknown field"]);
});

test("explainRefusal() reads the causes that older control planes send", () => {
  const error = explain(400, { title: "t", details: "d", causes: [{ field: "name", message: "must be set" }] });
  assert.deepEqual(error.violations, [{ field: "name", message: "must be set" }]);
});

for (const status of [401, 403]) {
  test(`explainRefusal() says for ${status} how to get a token`, () => {
    const { message, next } = explain(status, { title: "Access Denied" });
    assert.match(message, /http:\/\/cp .*\(Access Denied\)/);
    assert.match(next.join("\n"), /heddle generate user-token[\s\S]*--auth-type tokens/);
  });
}

test("explainRefusal() shows a body that is no JSON as it is", () => {
  assert.match(explain(502, "<html>bad gateway</html>").message, /<html>bad gateway<\/html>$/);
  assert.match(explain(500, "").message, /answers with status 500$/);
});

test("explainRefusal() names the command that lists what there is, when something is not there", () => {
  const parameters = [{ field: "mesh", reason: 'there is no Mesh "nope"' }];
  assert.deepEqual(explain(404, { title: "t", detail: "Not found", invalid_parameters: parameters }).next, [
    "See which there are: heddle get mesh",
  ]);
  assert.deepEqual(explain(404, { title: "t", detail: "Not found" }).next, []);
});
