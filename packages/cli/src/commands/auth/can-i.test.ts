import assert from "node:assert/strict";
import { test } from "node:test";
import { render } from "./can-i.ts";

test("render() says through which role somebody may, or what is missing", () => {
  const user = { name: "jane", groups: [] };
  assert.equal(
    render({ user, allowed: true, by: { role: "editor", binding: "editors" } }),
    "yes: jane has the role editor by editors",
  );
  assert.equal(
    render({ user, allowed: false, reason: "no AccessRoleBinding names this user" }),
    "no: jane: no AccessRoleBinding names this user",
  );
});

test("render() takes an answer that it does not understand for a no", () => {
  assert.match(render({ allowed: "perhaps" }), /^no/);
});
