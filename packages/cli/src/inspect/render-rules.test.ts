import assert from "node:assert/strict";
import { test } from "node:test";
import { plain } from "../output/paint.ts";
import { renderRules } from "./render-rules.ts";

const origin = (name: string, ruleIndex?: number) => ({
  resourceMeta: { type: "MeshTimeout", mesh: "default", name, labels: {} },
  ...(ruleIndex === undefined ? {} : { ruleIndex }),
});

test("renderRules() tells what each type of policy says, where, and who said it", () => {
  const answer = {
    rules: [
      {
        type: "MeshTimeout",
        toResourceRules: [
          {
            resourceMeta: { type: "MeshService", name: "api", mesh: "default" },
            resourceSectionName: "http",
            conf: [{ http: { requestTimeout: "2s" } }],
            origin: [origin("slow", 0), origin("base", 1)],
          },
        ],
        inboundRules: [
          {
            inbound: { name: "main", port: 8080, tags: {} },
            rules: [{ conf: [{ idleTimeout: "1h" }], origin: [origin("in")] }],
          },
        ],
        warnings: ["selects nothing"],
      },
      { type: "MeshRetry", toResourceRules: [], inboundRules: [], warnings: [] },
    ],
  };
  assert.equal(
    renderRules(answer, plain),
    [
      "MeshTimeout",
      "  inbound main port 8080",
      "    idleTimeout: 1h",
      "    from default/in",
      "  to MeshService api port http",
      "    http:",
      "      requestTimeout: 2s",
      "    from default/slow (rule 0), default/base (rule 1)",
      "  warning: selects nothing",
    ].join("\n"),
  );
});

test("renderRules() shows rules by tags, as Kuma 2 has them", () => {
  const matchers = [{ key: "kuma.io/service", value: "web", not: true }];
  const answer = {
    rules: [
      {
        type: "MeshTrafficPermission",
        proxyRule: { conf: { a: 1 }, origin: [{ mesh: "m", name: "p" }] },
        fromRules: [
          {
            inbound: { port: 80 },
            rules: [{ matchers, conf: { action: "Deny" }, origin: [{ mesh: "m", name: "q" }] }],
          },
        ],
        toRules: [{ matchers: [], conf: { b: 2 }, origin: [] }],
      },
    ],
  };
  assert.deepEqual(renderRules(answer, plain).split("\n"), [
    "MeshTrafficPermission",
    "  whole proxy",
    "    a: 1",
    "    from m/p",
    "  inbound port 80, from kuma.io/service!=web",
    "    action: Deny",
    "    from m/q",
    "  to anything",
    "    b: 2",
  ]);
});

test("renderRules() says that no policy reaches a proxy", () => {
  assert.equal(
    renderRules({ rules: [{ type: "MeshTimeout", toResourceRules: [] }] }, plain),
    "No policy reaches this proxy",
  );
  assert.equal(renderRules(undefined, plain), "No policy reaches this proxy");
});
