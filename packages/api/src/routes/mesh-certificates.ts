import type { Context } from "../context.ts";
import { notFound } from "../http/api-error.ts";
import { ok, param, type Route } from "../http/route.ts";
import type { Inspect } from "../ports.ts";
import { CERTIFICATE_STATES } from "../reports.ts";
import { kindOf, requireResource } from "../resources/find.ts";

/** The certificates of a mesh's proxies and the authorities that sign them, with what will go wrong unless somebody acts. */
export function meshCertificateRoutes(context: Context): readonly Route[] {
  return [
    meshRoute(context, {
      path: "_certificates",
      title: "Could not tell how certificates are",
      summary: "The certificates of a mesh's proxies, those at risk first",
      answer:
        "{firstExpiry: {name, expiresAt}, states, warnings, items: [{name, online, spiffeIds, issuer, state, reason?, " +
        `issuedAt, renewsAt, expiresAt}]}; a state is one of ${CERTIFICATE_STATES.join(", ")}`,
      report: (inspect, mesh) => inspect.certificates(mesh),
    }),
    meshRoute(context, {
      path: "_authorities",
      title: "Could not tell how certificate authorities are",
      summary: "The certificate authorities of a mesh: who signs, what is trusted, until when",
      answer:
        "{warnings, items: [{name, type, signs, state: starting|ready|down, reason?, since?, certificateLifeSeconds, " +
        "availabilitySeconds, issuer?, roots: [{subject, fingerprint, expiresAt, trustedUntil?}]}]}",
      report: (inspect, mesh) => inspect.authorities(mesh),
    }),
  ];
}

function meshRoute(
  { ports }: Context,
  {
    path,
    title,
    summary,
    answer,
    report,
  }: {
    readonly path: string;
    readonly title: string;
    readonly summary: string;
    readonly answer: string;
    readonly report: (inspect: Inspect, mesh: string) => object | undefined;
  },
): Route {
  return {
    method: "GET",
    path: `/meshes/{mesh}/${path}`,
    title,
    type: "Dataplane",
    needs: "read",
    doc: { summary, answer, tag: "Inspect" },
    handle: async (request) => {
      const { name } = await requireResource(ports.store, kindOf(ports.kinds, "Mesh"), {
        mesh: "",
        name: param(request, "mesh"),
      });
      const found = report(ports.inspect, name);
      if (found === undefined) throw notFound("path", `mesh "${name}" is not run by this control plane yet`);
      return ok(found);
    },
  };
}
