import type { Context } from "../context.ts";
import { ok, type Route } from "../http/route.ts";

/** The certificates that the control plane's own ports show, and what is wrong with the files they come from. */
export function serverCertificatesRoute({ ports }: Context): Route {
  return {
    method: "GET",
    path: "/server-certificates",
    title: "Could not tell how the certificates of the ports are",
    needs: "controlPlaneMetadata",
    doc: {
      summary: "The certificates that this control plane's own ports show",
      tag: "Control plane",
      answer: "{warnings, items: [{port, expiresAt, problem?}]}; a problem is why its files are not in use",
    },
    handle: () => ok(ports.serverCertificates?.() ?? { warnings: [], items: [] }),
  };
}
