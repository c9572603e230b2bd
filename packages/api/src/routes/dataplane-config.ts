import type { Context } from "../context.ts";
import { ApiError } from "../http/api-error.ts";
import type { Route } from "../http/route.ts";
import { inspectionRoute } from "./proxy-path.ts";

/** The Envoy configuration that a proxy gets. */
export function dataplaneConfigRoute(context: Context): Route {
  return inspectionRoute(context, {
    path: "_config",
    title: "Could not get the configuration of a dataplane",
    needs: "viewConfigDump",
    doc: {
      summary: "Envoy configuration of a proxy as the control plane makes it",
      query: [
        { name: "shadow", description: "true: as it would be with the policies labelled kuma.io/effect: shadow" },
        { name: "include", description: "diff: also a JSON Patch against what the proxy has now" },
      ],
      answer: "{xds, diff?}",
    },
    answer: async ({ proxy, inspect, request }) => {
      if (context.ports.info.mode === "global") {
        throw new ApiError(405, "Cannot show the configuration: it is made in the zone; ask the zone's control plane");
      }
      const include = request.query.getAll("include").flatMap((text) => text.split(","));
      return inspect.config(proxy, {
        shadow: request.query.get("shadow") === "true",
        includeDiff: include.includes("diff"),
      });
    },
  });
}
