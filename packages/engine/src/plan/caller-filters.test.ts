import assert from "node:assert/strict";
import { test } from "node:test";
import { any } from "@heddle/envoy/any.ts";
import { RouterSchema } from "@heddle/envoy/gen/envoy/extensions/filters/http/router/v3/router_pb.js";
import { RBACSchema } from "@heddle/envoy/gen/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import { type CallerFilter, filtersByCaller } from "./caller-filters.ts";

const filter = (statPrefix: string, more: Partial<CallerFilter> = {}): CallerFilter => ({
  stage: "decide",
  name: "asks",
  config: any(RBACSchema, { shadowRulesStatPrefix: statPrefix }),
  ...more,
});
const match = (value: string) => ({ spiffeID: { type: "Exact" as const, value } });

test("filtersByCaller() makes nothing of nothing", () => {
  assert.deepEqual(filtersByCaller([], [{ match: match("spiffe://a/b"), filters: [] }]), {});
});

test("filtersByCaller() has each filter once, and every route turns off those that are not its own", () => {
  const onRoute = any(RouterSchema, { suppressEnvoyHeaders: true });
  const { httpFilters, route, callers } = filtersByCaller(
    [filter("a")],
    [
      { match: match("spiffe://a/none"), filters: [] },
      { match: match("spiffe://a/same"), filters: [filter("a", { onRoute })] },
      { match: match("spiffe://a/other"), filters: [filter("b")] },
    ],
  );
  assert.deepEqual(
    httpFilters?.map(({ name }) => name),
    ["asks", "asks.02"],
  );
  const off = (filters: object | undefined) => Object.keys(filters ?? {});
  assert.deepEqual(off(route?.filters), ["asks.02"]);
  assert.deepEqual(
    callers?.map((each) => [off(each.route.filters), each.asInListener]),
    [
      [["asks", "asks.02"], []],
      [["asks.02", "asks"], ["asks"]],
      [["asks"], ["asks.02"]],
    ],
  );
  assert.equal(callers?.[1]?.route.filters?.["asks"], onRoute);
});
