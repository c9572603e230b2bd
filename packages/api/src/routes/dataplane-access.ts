import type { Context } from "../context.ts";
import { invalid } from "../http/api-error.ts";
import type { Route } from "../http/route.ts";
import { inspectionRoute } from "./proxy-path.ts";

/** Whether one proxy may call another, why, and what to write so that it may. */
export function dataplaneAccessRoute(context: Context): Route {
  return inspectionRoute(context, {
    path: "_access",
    title: "Could not tell who may call a dataplane",
    doc: {
      summary: "May that caller call this proxy?",
      query: [{ name: "from", description: "A proxy of the same mesh, or a SPIFFE ID", required: true }],
      answer: "{inbounds: [{inbound, port, decision, reason, origins, fix?}]}",
    },
    answer: async ({ proxy, inspect, request }) => {
      const from = request.query.get("from");
      if (from) return inspect.access(proxy, from);
      const message = "must be set to the name of a proxy or to a SPIFFE ID";
      throw invalid([{ field: "from", message }], "Invalid query");
    },
  });
}
