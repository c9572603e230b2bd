import type { Context } from "../context.ts";
import type { Route } from "../http/route.ts";
import { kindOf } from "../resources/find.ts";
import { kriText } from "../resources/present.ts";
import { inspectionRoute } from "./proxy-path.ts";

/** Inbounds, outbounds and listeners of a proxy, with the names they have in Envoy. */
export function dataplaneLayoutRoute(context: Context): Route {
  const dataplane = kindOf(context.ports.kinds, "Dataplane");
  return inspectionRoute(context, {
    path: "_layout",
    title: "Could not get the layout of a dataplane",
    doc: { summary: "Ports of a proxy", answer: "{kri, labels, spiffeId?, inbounds, outbounds, listeners}" },
    answer: async ({ proxy, inspect }) => {
      const report = await inspect.layout(proxy);
      return report && { kri: kriText(dataplane, proxy), labels: proxy.labels, ...report };
    },
  });
}
