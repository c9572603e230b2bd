import type { Context } from "../context.ts";
import { ok, type Route } from "../http/route.ts";

/** What answers here. Kuma's clients read it to find out whom they talk to. */
export function indexRoute({ ports }: Context): Route {
  return {
    method: "GET",
    path: "/",
    title: "Could not retrieve the index",
    needs: "open",
    doc: { summary: "What this control plane is", tag: "Control plane", answer: "{hostname, product, version, ...}" },
    handle: () => {
      const { hostname, product, version, instanceId, clusterId, gui, basedOnKuma } = ports.info;
      return ok({
        hostname,
        product,
        // Kuma 2.x's name of the same.
        tagline: product,
        version,
        instanceId,
        clusterId,
        gui: gui ?? "The GUI is not served here",
        ...(basedOnKuma === undefined ? {} : { basedOnKuma }),
      });
    },
  };
}
