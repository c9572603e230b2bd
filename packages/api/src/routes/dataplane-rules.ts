import type { Context } from "../context.ts";
import type { Route } from "../http/route.ts";
import { kindOf } from "../resources/find.ts";
import { metaOf } from "../resources/present.ts";
import { inspectionRoute } from "./proxy-path.ts";

/** Which policies reach a proxy, merged, with their origins. */
export function dataplaneRulesRoute(context: Context): Route {
  const dataplane = kindOf(context.ports.kinds, "Dataplane");
  return inspectionRoute(context, {
    path: "_rules",
    title: "Could not get rules for a dataplane",
    doc: { summary: "Rules that apply to a proxy", answer: "{resource, httpMatches, rules}" },
    answer: async ({ proxy, inspect }) => {
      const report = await inspect.rules(proxy);
      return report && { resource: metaOf(dataplane, proxy), ...report };
    },
  });
}
