import type { Context } from "../context.ts";
import { invalid, notFound } from "../http/api-error.ts";
import { type ApiRequest, ok, param, type Route } from "../http/route.ts";
import type { Reader } from "../ports.ts";
import { envelope } from "../resources/envelope.ts";
import { kindOf, requireResource } from "../resources/find.ts";
import { LIST_PARAMETERS } from "../resources/list-query.ts";
import { nameOrder, pageOfKeys } from "../resources/page-of-keys.ts";
import { proxyStates, serviceStates, type ServiceState } from "../resources/proxy-states.ts";
import { SERVICE_TYPES, serviceInsight, typeOf } from "../resources/service-insight.ts";

const TAG = "Services";
const QUERY = [
  ...LIST_PARAMETERS.slice(0, 3),
  { name: "type", description: `One or more of ${SERVICE_TYPES.join(",")}` },
];

/** The services of a mesh with the state of their proxies: what `kumactl inspect services` shows. */
export function serviceInsightRoutes({ ports: { store, kinds } }: Context): readonly Route[] {
  const mesh = kindOf(kinds, "Mesh");
  const path = "/meshes/{mesh}/service-insights";
  return [
    {
      method: "GET",
      path,
      title: "Could not retrieve resources",
      needs: "read",
      doc: { summary: "List the services of a mesh", tag: TAG, query: QUERY, answer: "One page of ServiceInsights" },
      handle: async (request) => {
        const found = await requireResource(store, mesh, { mesh: "", name: param(request, "mesh") });
        const types = typesIn(request);
        const all = (await servicesOf(store, found.name)).filter((each) => types.includes(typeOf(each)));
        const page = pageOfKeys(all, request.query);
        return ok(envelope(request.url, { ...page, items: page.items.map((each) => serviceInsight(found, each)) }));
      },
    },
    {
      method: "GET",
      path: `${path}/{name}`,
      title: "Could not retrieve a resource",
      needs: "read",
      doc: { summary: "A service and the state of its proxies", tag: TAG, answer: "A ServiceInsight" },
      handle: async (request) => {
        const found = await requireResource(store, mesh, { mesh: "", name: param(request, "mesh") });
        const name = param(request, "name");
        const service = (await servicesOf(store, found.name)).find((each) => each.name === name);
        if (service === undefined) throw notFound("name", `no proxy of mesh "${found.name}" serves "${name}"`);
        return ok(serviceInsight(found, service));
      },
    },
  ];
}

async function servicesOf(read: Reader, mesh: string): Promise<readonly ServiceState[]> {
  return serviceStates(await proxyStates(read, mesh)).toSorted(nameOrder);
}

function typesIn({ query }: ApiRequest): readonly string[] {
  const asked = (query.get("type") ?? "").split(",").filter((each) => each !== "");
  const wrong = asked.find((each) => !SERVICE_TYPES.some((known) => known === each));
  if (wrong === undefined) return asked.length === 0 ? SERVICE_TYPES : asked;
  throw invalid([{ field: "type", message: `must be one of ${SERVICE_TYPES.join(", ")}` }], "Invalid query");
}
