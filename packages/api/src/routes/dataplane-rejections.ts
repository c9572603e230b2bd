import type { DataplaneInsightSpec } from "@heddle/model/kinds/dataplane-insight.ts";
import type { Context } from "../context.ts";
import type { Route } from "../http/route.ts";
import { inspectionRoute } from "./proxy-path.ts";

/** What a proxy's Envoy refuses now, in Envoy's words. */
export function dataplaneRejectionsRoute(context: Context): Route {
  return inspectionRoute(context, {
    path: "_rejections",
    title: "Could not get rejections of a dataplane",
    doc: {
      summary: "Configuration that Envoy refuses",
      answer: "{items: [{typeUrl, resources, detail, origins?, time}]}",
    },
    answer: async ({ proxy: { mesh, name } }) => {
      const insight = await context.ports.store.get({ type: "DataplaneInsight", mesh, name });
      return { items: (insight?.spec as DataplaneInsightSpec | undefined)?.rejections ?? [] };
    },
  });
}
