import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePlan } from "../apply/plan.ts";
import { plain } from "./paint.ts";
import { renderPlan } from "./render-plan.ts";

const PLAN = parsePlan({
  documents: [
    { type: "MeshTimeout", mesh: "default", name: "slow", outcome: "updated", warnings: ["selects no proxy"] },
    { type: "Mesh", mesh: "", name: "default", outcome: "unchanged" },
    {
      type: "MeshTimeout",
      mesh: "default",
      name: "bad",
      outcome: "invalid",
      violations: [{ field: "spec.to[0]", message: "must be set" }],
    },
  ],
  proxies: [
    {
      mesh: "default",
      name: "web-1",
      changes: [
        {
          typeUrl: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
          name: "outbound:api",
          change: "changed",
          patch: [
            { op: "replace", path: "/virtualHosts/0/routes/0/route/timeout", value: "15s" },
            { op: "remove", path: "/x" },
          ],
        },
        { typeUrl: "type.googleapis.com/envoy.config.cluster.v3.Cluster", name: "api", change: "added" },
      ],
    },
  ],
});

test("renderPlan() tells what documents and which proxies would change", () => {
  assert.equal(
    renderPlan(PLAN, false, plain),
    [
      "MeshTimeout default/slow would be updated",
      "  warning: selects no proxy",
      "Mesh default is unchanged",
      "MeshTimeout default/bad is not valid",
      "  spec.to[0]: must be set",
      "1 proxy would change:",
      "  default/web-1 (2 resources)",
    ].join("\n"),
  );
});

test("renderPlan() with diff shows how each Envoy resource would change", () => {
  const lines = renderPlan(PLAN, true, plain).split("\n").slice(-5);
  assert.deepEqual(lines, [
    "  default/web-1 (2 resources)",
    "    ~ RouteConfiguration outbound:api",
    '      ~ /virtualHosts/0/routes/0/route/timeout  "15s"',
    "      - /x",
    "    + Cluster api",
  ]);
});

test("renderPlan() names twenty proxies and counts the others", () => {
  const proxies = Array.from({ length: 25 }, (_, index) => ({ mesh: "m", name: `p-${index}`, changes: [] }));
  const text = renderPlan({ documents: [], proxies }, false, plain);
  assert.match(text, /^25 proxies would change:/);
  assert.match(text, /p-19/);
  assert.doesNotMatch(text, /p-20/);
  assert.match(text, /and 5 more/);
});

test("renderPlan() says that no proxy would change", () => {
  assert.equal(renderPlan({ documents: [], proxies: [] }, true, plain), "No proxy would change");
});
