import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { formOf } from "./form.ts";
import { defineKind } from "./kind.ts";

const kind = defineKind({
  type: "MeshThing",
  path: "meshthings",
  scope: "Mesh",
  shape: "plugin",
  singular: "Mesh Thing",
  plural: "Mesh Things",
  schema: z.strictObject({
    mode: z.enum(["Fast", "Safe"]).describe("How"),
    share: z.union([z.int(), z.string()]).optional(),
    to: z.array(z.strictObject({ port: z.int().min(1), isOn: z.boolean().optional() })).optional(),
    tags: z.record(z.string(), z.string()).optional(),
  }),
});

test("formOf() tells what to ask for, where it goes and what it means", () => {
  assert.deepEqual(formOf(kind), [
    {
      name: "mode",
      path: "spec.mode",
      input: "choice",
      type: "one of Fast, Safe",
      help: "How",
      isRequired: true,
      choices: ["Fast", "Safe"],
    },
    { name: "share", path: "spec.share", input: "text", type: "number or text", isRequired: false },
    {
      name: "to",
      path: "spec.to",
      input: "list",
      type: "list of object",
      isRequired: false,
      fields: [
        { name: "port", path: "spec.to[].port", input: "number", type: "number of at least 1", isRequired: true },
        { name: "isOn", path: "spec.to[].isOn", input: "switch", type: "true or false", isRequired: false },
      ],
    },
    { name: "tags", path: "spec.tags", input: "map", type: "map of text", isRequired: false },
  ]);
});
