import type { Context } from "../context.ts";
import { ok, type Route } from "../http/route.ts";

/** Which versions of Envoy and of the data plane work with this control plane. */
export function versionsRoute({ ports }: Context): Route {
  return {
    method: "GET",
    path: "/versions",
    title: "Could not retrieve versions",
    needs: "read",
    doc: { summary: "What works together", tag: "Control plane", answer: "{heddle, envoy, kumaDp}" },
    handle: () => ok(ports.versions()),
  };
}
