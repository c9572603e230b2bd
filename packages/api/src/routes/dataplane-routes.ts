import type { Context } from "../context.ts";
import { param, type Route } from "../http/route.ts";
import { inspectionRoute } from "./proxy-path.ts";

/** The routes of one outbound of a proxy. */
export function dataplaneRoutesRoute(context: Context): Route {
  return inspectionRoute(context, {
    path: "_outbounds/{kri}/_routes",
    title: "Could not get routes of a dataplane",
    doc: { summary: "Routes of an outbound", answer: "{routes: [{kind, origins, rules}]}" },
    answer: ({ proxy, inspect, request }) => inspect.routes(proxy, param(request, "kri")),
  });
}
