import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { fieldTable } from "./field-table.ts";
import { constantOf, policyIndex } from "./policy-index.ts";

test("constantOf() is the folder's name in camel case", () => {
  assert.equal(constantOf("mesh-http-route"), "meshHttpRoute");
});

test("policyIndex() lists the policies in order, one a line", () => {
  assert.equal(
    policyIndex(["mesh-http-route", "mesh-timeout"]).content,
    `// Written by \`npm run generate\` from the folders beside it.
import { meshHttpRoute } from "./mesh-http-route/policy.ts";
import { meshTimeout } from "./mesh-timeout/policy.ts";

/** Every policy there is, in the order of their names. */
export const policies = [
  meshHttpRoute,
  meshTimeout,
] as const;
`,
  );
});

test("fieldTable() has a row for each field, nested ones by their path", () => {
  const conf = z.strictObject({
    timeout: z.string().optional().describe("How long | at most"),
    tags: z.record(z.string(), z.string()).optional(),
  });
  const schema = z.strictObject({
    kind: z.enum(["Mesh", "Dataplane"]).describe("What is selected"),
    to: z.array(z.strictObject({ default: conf })).optional(),
    port: z.union([z.int(), z.string()]),
  });
  assert.equal(
    fieldTable(z.toJSONSchema(schema)),
    `| field | type | meaning |
| --- | --- | --- |
| \`kind\` | \`"Mesh"\`, \`"Dataplane"\`, required | What is selected |
| \`to\` | list of object |  |
| \`to[].default\` | object, required |  |
| \`to[].default.timeout\` | string | How long \\| at most |
| \`to[].default.tags\` | map of string |  |
| \`port\` | integer or string, required |  |
`,
  );
});

test("fieldTable() gives a field that several alternatives have one row", () => {
  const schema = z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("Exact"), value: z.string() }),
    z.strictObject({ type: z.literal("Prefix"), value: z.string().describe("Begins with it") }),
  ]);
  assert.equal(
    fieldTable(z.toJSONSchema(z.strictObject({ match: schema }))),
    `| field | type | meaning |
| --- | --- | --- |
| \`match\` | object, required |  |
| \`match.type\` | \`"Exact"\` or \`"Prefix"\`, required |  |
| \`match.value\` | string, required | Begins with it |
`,
  );
});

test("fieldTable() describes an object that stands in two places once", () => {
  const reference = z.strictObject({ kind: z.string(), name: z.string().optional() });
  const schema = z.strictObject({ from: reference, to: z.array(reference).optional().describe("Where to") });
  assert.equal(
    fieldTable(z.toJSONSchema(schema)),
    `| field | type | meaning |
| --- | --- | --- |
| \`from\` | object, required |  |
| \`from.kind\` | string, required |  |
| \`from.name\` | string |  |
| \`to\` | list of object | Where to (fields as in \`from\`) |
`,
  );
});
