import type { Context } from "../context.ts";
import { ApiError } from "../http/api-error.ts";
import type { Route } from "../http/route.ts";
import type { Action } from "../settings.ts";
import { requireProxy } from "./proxy-path.ts";

const VIEWS = {
  xds: { needs: "viewConfigDump", summary: "Configuration dump of the running Envoy", type: "application/json" },
  clusters: { needs: "viewClusters", summary: "Clusters of the running Envoy", type: "text/plain" },
  stats: { needs: "viewStats", summary: "Statistics of the running Envoy", type: "text/plain" },
} as const satisfies Record<string, { needs: Action; summary: string; type: string }>;

/** What the running Envoy itself says, through the control plane. */
export function dataplaneLiveRoutes({ ports }: Context): readonly Route[] {
  return (["xds", "clusters", "stats"] as const).map((what) => ({
    method: "GET",
    path: `/meshes/{mesh}/dataplanes/{name}/${what}`,
    title: "Could not execute admin operation",
    type: "Dataplane",
    needs: VIEWS[what].needs,
    doc: {
      summary: VIEWS[what].summary,
      tag: "Inspect",
      answer: "As Envoy gave it",
      answerType: VIEWS[what].type,
    },
    handle: async (request) => {
      const proxy = await requireProxy({ ports }, request);
      const live = await ports.inspect.liveEnvoy(proxy, what, request.query);
      if (live === undefined)
        throw new ApiError(503, `Cannot ask the Envoy of "${proxy.name}" for ${what}: it is not connected here`);
      return { status: 200, contentType: live.contentType, text: live.body };
    },
  }));
}
