import type { Kind } from "@heddle/model/kind.ts";
import type { Context } from "../context.ts";
import { type ApiRequest, ok, param, type Route } from "../http/route.ts";
import { resourceSchemaRef } from "../openapi/references.ts";
import { requireResource } from "../resources/find.ts";
import { FORM_PARAMETERS, inForm } from "../resources/form.ts";
import { etagOf } from "../resources/present.ts";
import { collectionPath, needOf, segmentsOf } from "./kind-paths.ts";

/** GET of one resource. */
export function getRoutes({ ports }: Context, kind: Kind): readonly Route[] {
  return segmentsOf(kind).map(({ path, alias }) => ({
    method: "GET",
    path: `${collectionPath(kind, path)}/{name}`,
    title: "Could not retrieve a resource",
    type: kind.type,
    needs: needOf(kind, "read"),
    doc: {
      summary: `Get a ${kind.singular}`,
      tag: kind.plural,
      query: FORM_PARAMETERS,
      answer: "The resource; its version is in the etag header",
      answerSchema: resourceSchemaRef(kind),
      alias,
    },
    handle: async (request) => {
      const resource = await requireResource(ports.store, kind, keyIn(kind, request));
      return ok(inForm(kind, resource, request.query), { etag: etagOf(resource) });
    },
  }));
}

/** The key that the path of a request names. */
export function keyIn(kind: Kind, request: ApiRequest): { type: string; mesh: string; name: string } {
  const mesh = kind.scope === "Mesh" ? param(request, "mesh") : "";
  return { type: kind.type, mesh, name: param(request, "name") };
}
