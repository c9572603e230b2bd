import assert from "node:assert/strict";
import { test } from "node:test";
import type { OpenApiDocument } from "./openapi/document.ts";
import { TEST_KINDS } from "./testkit/fake-ports.ts";
import { startApi } from "./testkit/running-api.ts";

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content: object }>>;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
}

async function fetchDocument(): Promise<OpenApiDocument> {
  await using api = await startApi();
  return (await api.call("GET", "/openapi.json")).json() as unknown as OpenApiDocument;
}

function operationsOf(document: OpenApiDocument): readonly (readonly [string, Operation])[] {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.values(operations).map((operation) => [path, operation as Operation] as const),
  );
}

/** Every `$ref` anywhere in a document. */
function referencesOf(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "$ref" && typeof inner === "string" ? [inner] : referencesOf(inner),
  );
}

test("GET /openapi.json has the parts that OpenAPI 3.1 asks for", async () => {
  const document = await fetchDocument();
  assert.match(document.openapi, /^3\.1\.\d$/);
  assert.ok(document.info.title !== "" && document.info.version === "0.1.0");
  for (const [path, operation] of operationsOf(document)) {
    assert.ok(path.startsWith("/"), path);
    assert.ok(Object.keys(operation.responses).length > 0, path);
    for (const response of Object.values(operation.responses)) assert.ok(response.description !== "", path);
  }
});

test("GET /openapi.json declares each parameter of each path, once, and required", async () => {
  for (const [path, operation] of operationsOf(await fetchDocument())) {
    const inPath = operation.parameters.filter((parameter) => parameter.in === "path");
    assert.deepEqual(
      inPath.map((parameter) => `{${parameter.name}}`),
      path.match(/\{\w+\}/g) ?? [],
      path,
    );
    assert.ok(inPath.every((parameter) => parameter.required));
    const names = operation.parameters.map((parameter) => `${parameter.in} ${parameter.name}`);
    assert.equal(new Set(names).size, names.length, path);
  }
});

test("GET /openapi.json gives each operation a name of its own", async () => {
  const ids = operationsOf(await fetchDocument()).map(([, operation]) => operation.operationId);
  assert.equal(new Set(ids).size, ids.length);
});

test("GET /openapi.json refers only to schemas that it has", async () => {
  const document = await fetchDocument();
  const known = new Set(Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`));
  const references = new Set(referencesOf(document));
  assert.deepEqual(
    [...references].filter((reference) => !known.has(reference)),
    [],
  );
  assert.ok(references.has("#/components/schemas/Dataplane"));
});

for (const kind of TEST_KINDS.all) {
  test(`GET /openapi.json describes ${kind.type} and its paths`, async () => {
    const document = await fetchDocument();
    const schema = document.components.schemas[kind.type] as { properties: Record<string, object>; required: string[] };
    assert.deepEqual(schema.properties["type"], { type: "string", const: kind.type });
    assert.ok(schema.required.includes("name"));
    const path = kind.scope === "Mesh" ? `/meshes/{mesh}/${kind.path}/{name}` : `/${kind.path}/{name}`;
    const parameter = kind.type === "Mesh" ? "/meshes/{name}" : path;
    assert.deepEqual(Object.keys(document.paths[parameter] ?? {}).toSorted(), ["delete", "get", "put"]);
  });
}

test("GET /openapi.json describes the fields that users write", async () => {
  const { components } = await fetchDocument();
  const dataplane = components.schemas["Dataplane"] as { properties: Record<string, { properties?: object }> };
  assert.ok("inbound" in (dataplane.properties["networking"]?.properties ?? {}));
  const timeout = components.schemas["MeshTimeout"] as { properties: Record<string, { properties?: object }> };
  assert.deepEqual(Object.keys(timeout.properties["spec"]?.properties ?? {}), ["targetRef", "to"]);
});

test("GET /openapi.json lists every route that is served, but for other spellings", async () => {
  const { paths } = await fetchDocument();
  const expected = ["/", "/plan", "/rollouts/{revision}", "/tokens/dataplane", "/_kri/{kri}", "/global-insight"];
  for (const path of [...expected, "/meshes/{mesh}/dataplanes/{name}/_rules"]) assert.ok(path in paths, path);
  assert.ok(!Object.keys(paths).some((path) => path.includes("+insights")));
});
