import type { Context } from "../context.ts";
import { param, type Route } from "../http/route.ts";
import { inspectionRoute } from "./proxy-path.ts";

const TITLE = "Could not get policies of a dataplane";

/** The policies of a proxy, of one inbound, of one outbound, of one route. */
export function dataplanePoliciesRoutes(context: Context): readonly Route[] {
  return [
    inspectionRoute(context, {
      path: "_policies",
      title: TITLE,
      doc: { summary: "Policies of a whole proxy", answer: "{policies: [{kind, conf, origins}]}" },
      answer: ({ proxy, inspect }) => inspect.policies(proxy),
    }),
    inspectionRoute(context, {
      path: "_inbounds/{kri}/_policies",
      title: TITLE,
      doc: { summary: "Policies of an inbound", answer: "{policies: [{kind, rules, origins}]}" },
      answer: ({ proxy, inspect, request }) => inspect.inboundPolicies(proxy, param(request, "kri")),
    }),
    inspectionRoute(context, {
      path: "_outbounds/{kri}/_policies",
      title: TITLE,
      doc: { summary: "Policies of an outbound", answer: "{policies: [{kind, conf, origins}]}" },
      answer: ({ proxy, inspect, request }) => inspect.outboundPolicies(proxy, param(request, "kri")),
    }),
    inspectionRoute(context, {
      path: "_outbounds/{kri}/_routes/{route}/_policies",
      title: TITLE,
      doc: { summary: "Policies of a route", answer: "{policies: [{kind, conf, origins}]}" },
      answer: ({ proxy, inspect, request }) =>
        inspect.routePolicies(proxy, param(request, "kri"), param(request, "route")),
    }),
  ];
}
