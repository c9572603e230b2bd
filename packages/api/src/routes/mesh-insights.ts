import type { Context } from "../context.ts";
import { type ApiRequest, ok, param, type Route } from "../http/route.ts";
import { envelope } from "../resources/envelope.ts";
import { kindOf, requireResource } from "../resources/find.ts";
import { LIST_PARAMETERS } from "../resources/list-query.ts";
import { meshInsight } from "../resources/mesh-insight.ts";
import { pageFor } from "./resource-list.ts";

const TAG = "Meshes";

/** Each mesh in numbers: what `kumactl inspect meshes` shows. */
export function meshInsightRoutes({ ports }: Context): readonly Route[] {
  const { store, kinds } = ports;
  const mesh = kindOf(kinds, "Mesh");
  return [
    {
      method: "GET",
      path: "/mesh-insights",
      title: "Could not retrieve resources",
      needs: "read",
      doc: { summary: "List meshes in numbers", tag: TAG, query: LIST_PARAMETERS, answer: "One page of MeshInsights" },
      handle: async (request: ApiRequest) => {
        const page = await pageFor(store, mesh, request);
        const items = await Promise.all(page.items.map((each) => meshInsight(ports, each)));
        return ok(envelope(request.url, { ...page, items }));
      },
    },
    {
      method: "GET",
      path: "/mesh-insights/{name}",
      title: "Could not retrieve a resource",
      needs: "read",
      doc: { summary: "A mesh in numbers", tag: TAG, answer: "Totals and states of its proxies, services, policies" },
      handle: async (request: ApiRequest) => {
        const found = await requireResource(store, mesh, { mesh: "", name: param(request, "name") });
        return ok(await meshInsight(ports, found));
      },
    },
  ];
}
