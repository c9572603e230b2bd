import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAccess, render } from "./access.ts";

test("render() says who may call what, why, where that comes from and what would change it", () => {
  const access = parseAccess({
    inbounds: [
      {
        inbound: "main",
        port: 8080,
        decision: "allow",
        reason: "allow-web lets it in",
        origins: ["kri_mtp_default___allow-web_"],
      },
      {
        inbound: "9090",
        port: 9090,
        decision: "deny",
        reason: "no policy allows it",
        origins: [],
        fix: "type: MeshTrafficPermission\nname: a\n",
      },
      { inbound: "", port: 70, decision: "plaintext", reason: "mutual TLS is off", origins: [], fix: "turn it on" },
    ],
  });
  assert.equal(
    render("web-1", "api-1", access),
    [
      "web-1 -> api-1 main (port 8080): allowed",
      "  why     allow-web lets it in",
      "  origin  kri_mtp_default___allow-web_",
      "web-1 -> api-1 port 9090: denied",
      "  why     no policy allows it",
      "  -> apply this: heddle apply -f - (then Ctrl-D)",
      "    type: MeshTrafficPermission",
      "    name: a",
      "web-1 -> api-1 port 70: allowed in plain text",
      "  why     mutual TLS is off",
      "  -> turn it on",
    ].join("\n"),
  );
});

test("parseAccess() takes a decision that it does not know for a refusal", () => {
  assert.equal(parseAccess({ inbounds: [{ decision: "perhaps" }] })[0]?.decision, "deny");
});

test("render() says that a proxy without inbounds cannot be called", () => {
  assert.match(render("a", "b", []), /no inbound/);
});
