import type { JsonSchema, Route } from "../http/route.ts";

/** The OpenAPI operation of one route. */
export function operation(route: Route): object {
  const { doc } = route;
  return {
    operationId: operationId(route),
    summary: doc.summary,
    tags: [doc.tag],
    ...(route.needs === "open" ? { security: [] } : { security: [{ userToken: [] }, {}] }),
    parameters: [...pathParameters(route.path), ...queryParameters(route), ...headerParameters(route)],
    ...(doc.body === undefined ? {} : { requestBody: requestBody(doc.body) }),
    responses: responses(route),
  };
}

/** "GET /meshes/{mesh}/dataplanes/{name}" → "getMeshesMeshDataplanesName". */
function operationId({ method, path }: Route): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

function pathParameters(path: string): object[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function queryParameters({ doc }: Route): object[] {
  return (doc.query ?? []).map(({ name, description, required }) => ({
    name,
    in: "query",
    description,
    required: required ?? false,
    schema: { type: "string" },
  }));
}

function headerParameters({ method, path }: Route): object[] {
  if (!path.endsWith("{name}") || (method !== "PUT" && method !== "DELETE")) return [];
  const description = "The etag that the resource must still have, else 409";
  return [{ name: "if-match", in: "header", description, required: false, schema: { type: "string" } }];
}

function requestBody(schema: JsonSchema): object {
  const { $schema: _dialect, ...own } = schema;
  return { required: true, content: { "application/json": { schema: own }, "application/yaml": { schema: own } } };
}

function responses({ method, doc }: Route): object {
  const type = doc.answerType ?? "application/json";
  const schema = doc.answerSchema ?? (type === "application/json" ? { type: "object" } : { type: "string" });
  const good = { description: doc.answer, content: { [type]: { schema } } };
  return {
    "200": good,
    ...(method === "PUT" ? { "201": good } : {}),
    default: {
      description: "What went wrong",
      content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
    },
  };
}
