import type { Context } from "../context.ts";
import { ok, type Route } from "../http/route.ts";
import { globalInsight } from "../resources/global-insight.ts";

/** The installation in numbers. */
export function globalInsightRoute({ ports }: Context): Route {
  return {
    method: "GET",
    path: "/global-insight",
    title: "Could not retrieve the global insight",
    needs: "read",
    doc: {
      summary: "Meshes, zones, proxies, services, policies in numbers",
      tag: "Control plane",
      answer: "Totals and states",
    },
    handle: async () => ok(await globalInsight(ports.store, ports.kinds, new Date())),
  };
}
