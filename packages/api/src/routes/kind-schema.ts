import { formOf } from "@heddle/model/form.ts";
import type { Context } from "../context.ts";
import { ApiError } from "../http/api-error.ts";
import { ok, param, type Route } from "../http/route.ts";
import { kindSchema } from "../openapi/kind-schema.ts";

/** The fields of one kind: as JSON Schema, and as what a form asks for. */
export function kindSchemaRoute({ ports }: Context): Route {
  return {
    method: "GET",
    path: "/_schemas/{type}",
    title: "Could not retrieve the schema",
    needs: "read",
    doc: {
      summary: "The fields of a kind, as JSON Schema and as a form",
      tag: "Control plane",
      answer: "{type, scope, schema, form: [{name, path, input, type, help, isRequired, choices, fields}]}",
    },
    handle: (request) => {
      const type = param(request, "type");
      const kind = ports.kinds.byType(type);
      if (kind === undefined) throw new ApiError(404, `There is no kind "${type}"; all kinds: GET /_resources`);
      return ok({ type, scope: kind.scope, schema: kindSchema(kind), form: formOf(kind) });
    },
  };
}
