import type { Context } from "../context.ts";
import { ok, type Route } from "../http/route.ts";

/** The control plane's own configuration. */
export function configRoute({ ports }: Context): Route {
  return {
    method: "GET",
    path: "/config",
    title: "Could not retrieve the configuration",
    needs: "controlPlaneMetadata",
    doc: { summary: "The configuration in force, secrets masked", tag: "Control plane", answer: "The configuration" },
    handle: () => ok(ports.config()),
  };
}
