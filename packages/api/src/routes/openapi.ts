import type { Context } from "../context.ts";
import { ok, type Route } from "../http/route.ts";
import { type OpenApiDocument, openApiDocument } from "../openapi/document.ts";

/** The description of this API, made from the routes it is served with. */
export function openApiRoute({ ports, settings }: Context, routes: () => readonly Route[]): Route {
  let document: OpenApiDocument | undefined;
  return {
    method: "GET",
    path: "/openapi.json",
    title: "Could not describe the API",
    needs: "read",
    doc: { summary: "This document", tag: "Control plane", answer: "OpenAPI 3.1" },
    handle: () => {
      // Made once, on demand: it depends on nothing that changes.
      const { version } = ports.info;
      document ??= openApiDocument(routes(), ports.kinds.all, { version, basePath: settings.basePath });
      return ok(document);
    },
  };
}
