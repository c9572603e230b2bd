import type { Kind } from "@heddle/model/kind.ts";
import type { Page } from "@heddle/model/store.ts";
import type { Context } from "../context.ts";
import { invalid } from "../http/api-error.ts";
import { type ApiRequest, ok, param, type Route } from "../http/route.ts";
import { listSchema } from "../openapi/references.ts";
import type { Reader } from "../ports.ts";
import { envelope } from "../resources/envelope.ts";
import { requireMesh } from "../resources/find.ts";
import { FORM_PARAMETERS, inForm } from "../resources/form.ts";
import { LIST_PARAMETERS, parseListQuery, PROXY_LIST_PARAMETERS } from "../resources/list-query.ts";
import { collectionPath, needOf, segmentsOf } from "./kind-paths.ts";

/** Lists of a kind: in one mesh, and for kinds in meshes also across all of them. */
export function listRoutes(context: Context, kind: Kind): readonly Route[] {
  return segmentsOf(kind).flatMap(({ path, alias }) => {
    const own = listRoute(context, kind, { path: collectionPath(kind, path), alias });
    return kind.scope === "Global" ? [own] : [own, listRoute(context, kind, { path: `/${path}`, alias })];
  });
}

function listRoute({ ports }: Context, kind: Kind, at: { path: string; alias: boolean }): Route {
  return {
    method: "GET",
    path: at.path,
    title: "Could not retrieve resources",
    type: kind.type,
    needs: needOf(kind, "read"),
    doc: {
      summary: at.path.includes("{mesh}") ? `List ${kind.plural} of a mesh` : `List all ${kind.plural}`,
      tag: kind.plural,
      query: [...listParameters(kind), ...FORM_PARAMETERS],
      answer: "One page",
      answerSchema: listSchema(kind),
      alias: at.alias,
    },
    handle: async (request) => {
      const page = await pageFor(ports.store, kind, request);
      const items = page.items.map((item) => inForm(kind, item, request.query));
      return ok(envelope(request.url, { ...page, items }));
    },
  };
}

/** The parameters that lists of a kind take. */
export function listParameters(kind: Kind): NonNullable<Route["doc"]["query"]> {
  return kind.type === "Dataplane" ? [...LIST_PARAMETERS, ...PROXY_LIST_PARAMETERS] : LIST_PARAMETERS;
}

/** The page of resources that a request asks for. Throws ApiError 400 for a wrong query, 404 for a mesh that is not there. */
export async function pageFor(read: Reader, kind: Kind, request: ApiRequest): Promise<Page> {
  const mesh = "mesh" in request.params ? param(request, "mesh") : undefined;
  const query = parseListQuery(kind, request.query, mesh);
  if (!query.ok) throw invalid(query.violations, "Invalid query");
  if (mesh !== undefined) await requireMesh(read, mesh);
  return read.list(query.value);
}
