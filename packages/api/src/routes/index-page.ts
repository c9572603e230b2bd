import type { Context } from "../context.ts";
import { ok, type Route } from "../http/route.ts";
import type { Info } from "../ports.ts";

/** What answers here. Kuma's clients read it to find out whom they talk to. */
export function indexRoute({ ports }: Context): Route {
  return {
    method: "GET",
    path: "/",
    title: "Could not retrieve the index",
    needs: "open",
    doc: { summary: "What this control plane is", tag: "Control plane", answer: "{hostname, product, version, ...}" },
    handle: (request) => {
      const { hostname, product, instanceId, clusterId, gui, basedOnKuma } = ports.info;
      const version = versionFor(request.header("user-agent"), ports.info);
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

/**
 * kumactl only adds a control plane, and only works without a warning at each command, when product and version are
 * its own or the version says "preview". So it is told which Kuma this version speaks for, as a preview of that.
 */
function versionFor(userAgent: string | undefined, { version, basedOnKuma }: Info): string {
  const isKumactl = userAgent?.startsWith("kumactl/") ?? false;
  return isKumactl && basedOnKuma !== undefined ? `${version}-preview.kuma.${basedOnKuma}` : version;
}
