import type { MeshServiceSpec } from "@heddle/model/kinds/mesh-service.ts";
import type { Context } from "../context.ts";
import { invalid } from "../http/api-error.ts";
import { type ApiRequest, type Answer, ok, type Route } from "../http/route.ts";
import { envelope } from "../resources/envelope.ts";
import { kindOf, requireResource } from "../resources/find.ts";
import { LIST_PARAMETERS, parseListQuery } from "../resources/list-query.ts";
import { metaOf } from "../resources/present.ts";
import { selectsProxy } from "../resources/service-proxies.ts";
import { keyIn } from "./resource-get.ts";

/** Which proxies serve a MeshService; the second path is Kuma 2.x's. */
export function meshServiceDataplaneRoutes(context: Context): readonly Route[] {
  if (context.ports.kinds.byType("MeshService") === undefined) return [];
  const path = "/meshes/{mesh}/meshservices/{name}";
  return [
    { path: `${path}/_dataplanes`, alias: false },
    { path: `${path}/_resources/dataplanes`, alias: true },
  ].map((at) => ({
    method: "GET",
    path: at.path,
    title: "Could not retrieve dataplanes of a MeshService",
    needs: "read",
    doc: {
      summary: "List the proxies that serve a MeshService",
      tag: "Mesh Services",
      query: LIST_PARAMETERS,
      answer: "One page of {type, mesh, name, labels, kri}",
      alias: at.alias,
    },
    handle: (request) => proxiesOf(context, request),
  }));
}

async function proxiesOf({ ports }: Context, request: ApiRequest): Promise<Answer> {
  const dataplane = kindOf(ports.kinds, "Dataplane");
  const service = await requireResource(ports.store, kindOf(ports.kinds, "MeshService"), {
    ...keyIn(dataplane, request),
  });
  const query = parseListQuery(dataplane, request.query, service.mesh);
  if (!query.ok) throw invalid(query.violations, "Invalid query");
  const asked = query.value.where;
  const page = await ports.store.list({
    ...query.value,
    where: (proxy) => selectsProxy(service.spec as MeshServiceSpec, proxy) && (asked?.(proxy) ?? true),
  });
  return ok(envelope(request.url, { ...page, items: page.items.map((item) => metaOf(dataplane, item)) }));
}
