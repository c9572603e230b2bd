import type { Kind } from "@heddle/model/kind.ts";
import type { JsonSchema, Route } from "../http/route.ts";
import { kindSchema } from "./kind-schema.ts";
import { operation } from "./operation.ts";

/** An OpenAPI 3.1 document. https://spec.openapis.org/oas/v3.1.1.html */
export interface OpenApiDocument {
  readonly openapi: "3.1.0";
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes: Readonly<Record<string, object>>;
  };
}

/** Describes the API from what it is made of: the routes that are served and the schemas that are checked. */
export function openApiDocument(
  routes: readonly Route[],
  kinds: readonly Kind[],
  about: { readonly version: string; readonly basePath: string },
): OpenApiDocument {
  const documented = routes.filter((route) => !route.doc.alias);
  const tags = [...new Set(documented.map((route) => route.doc.tag))].toSorted();
  return {
    openapi: "3.1.0",
    info: {
      title: "Heddle REST API",
      version: about.version,
      description:
        "Resources, inspection and tokens of a Heddle control plane. Paths and bodies are Kuma's where Kuma has them.",
    },
    servers: [{ url: about.basePath }],
    tags: tags.map((name) => ({ name })),
    paths: pathsOf(documented),
    components: {
      schemas: { ...Object.fromEntries(kinds.map((kind) => [kind.type, kindSchema(kind)])), ...SHARED_SCHEMAS },
      securitySchemes: { userToken: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
    },
  };
}

function pathsOf(routes: readonly Route[]): OpenApiDocument["paths"] {
  const groups = Map.groupBy(routes, (route) => route.path);
  const sorted = [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    sorted.map(([path, group]) => [
      path,
      Object.fromEntries(group.map((route) => [route.method.toLowerCase(), operation(route)])),
    ]),
  );
}

const SHARED_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Written: {
    type: "object",
    properties: { warnings: { type: "array", items: { type: "string" } } },
    additionalProperties: false,
  },
  Error: {
    type: "object",
    properties: {
      type: { type: "string", const: "/std-errors" },
      status: { type: "integer" },
      title: { type: "string" },
      detail: { type: "string" },
      invalid_parameters: {
        type: "array",
        items: {
          type: "object",
          properties: { field: { type: "string" }, reason: { type: "string" } },
          required: ["field", "reason"],
        },
      },
    },
    required: ["type", "status", "title", "detail"],
  },
};
