import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { differingPaths } from "./envoy-paths.ts";
import { gapsIn, rowsOf } from "./rows.ts";
import { fieldsOf, placesIn } from "./schema-fields.ts";
import { variantsOf } from "./variants.ts";

const conf = z.strictObject({ wait: z.string().optional(), kind: z.enum(["Soft", "Hard"]).optional() });
const item = z.strictObject({ targetRef: z.strictObject({ kind: z.string() }), default: conf });
const schema = z.strictObject({
  to: z.array(item).optional(),
  from: z.array(item).optional(),
  rules: z.array(z.strictObject({ default: conf })).optional(),
});

test("fieldsOf() gives what holds no other fields, but not where it points", () => {
  assert.deepEqual(
    fieldsOf(schema.pick({ to: true })).map(({ path, values }) => [path, values]),
    [
      ["to[].default.wait", []],
      ["to[].default.kind", ["Soft", "Hard"]],
    ],
  );
});

test("placesIn() goes into the alternative of a union that accepts the value, and into maps", () => {
  const union = z.strictObject({
    match: z.union([z.strictObject({ exact: z.string() }), z.strictObject({ prefix: z.string() })]),
    tags: z.record(z.string(), z.string()),
  });
  const places = placesIn(union, { match: { prefix: "/a" }, tags: { b: "c" } });
  assert.deepEqual(
    places.map(({ field, at, value }) => [field, at.join("/"), value]),
    [
      ["match.prefix", "match/prefix", "/a"],
      ["tags.*", "tags/b", "c"],
    ],
  );
});

test("variantsOf() gives other values first, then takes away as little as possible", () => {
  const spec = { to: [{ targetRef: { kind: "Mesh" }, default: { kind: "Soft" } }] };
  const [place] = placesIn(schema, spec);
  assert.ok(place !== undefined);
  const variants = [...variantsOf(spec, place)].map((variant) => variant.spec);
  assert.deepEqual(variants.slice(0, 3), [
    { to: [{ targetRef: { kind: "Mesh" }, default: { kind: "Hard" } }] },
    { to: [{ targetRef: { kind: "Mesh" }, default: {} }] },
    { to: [{ targetRef: { kind: "Mesh" } }] },
  ]);
});

test("differingPaths() begins with the message that a field belongs to, and finds items by their names", () => {
  const route = (timeout: string) => ({ name: "a", "@type": "x.v3.Route", action: { timeout } });
  assert.deepEqual(
    [...differingPaths({ routes: [{ name: "b" }, route("1s")] }, { routes: [route("2s"), { name: "b" }] })],
    ["Route.action.timeout"],
  );
});

test("differingPaths() tells an order from what is in it", () => {
  assert.deepEqual([...differingPaths({ filters: ["a", "b"] }, { filters: ["b", "a"] })], [".filters[]"]);
});

const fields = fieldsOf(schema);
const shown = { value: "1s", case: "one", paths: ["Cluster.connectTimeout"] };

test("gapsIn() names every field and word that no case shows, and asks for rules where from is the same", () => {
  const rows = rowsOf(
    fields,
    [
      { field: "to[].default.wait", ...shown },
      { field: "from[].default.wait", ...shown },
    ],
    {},
  );
  assert.deepEqual(
    gapsIn("mesh-x", rows, {}).map((line) => /what (.*) does/.exec(line)?.[1]),
    ["to", "rules"].flatMap((section) => {
      const field = `${section}[].default.kind`;
      return [field, `${field} = Soft`, `${field} = Hard`];
    }),
  );
});

test("gapsIn() takes a reason for a beginning of fields, and none that is not needed", () => {
  const reasons = {
    "rules[]": "it is told elsewhere",
    "to[].default.kind": "and so is this",
    "to[].default.wait": "not true",
  };
  const rows = rowsOf(fields, [{ field: "to[].default.wait", ...shown }], reasons);
  assert.deepEqual(gapsIn("mesh-x", rows, reasons), [
    "packages/policies/mesh-x/no-effect.yaml: to[].default.wait has an effect, or is no field; take it out",
  ]);
});
