import type { Resource } from "@heddle/model/resource.ts";
import type { Context } from "../context.ts";
import { notFound } from "../http/api-error.ts";
import { type ApiRequest, type Handler, ok, param, type Route, type RouteDoc } from "../http/route.ts";
import type { Inspect } from "../ports.ts";
import { kindOf, requireResource } from "../resources/find.ts";

/** What an inspection is asked with: the proxy exists, and so does its mesh. */
export interface Inspection {
  readonly proxy: Resource;
  readonly inspect: Inspect;
  readonly request: ApiRequest;
}

export interface InspectionRoute {
  /** Below the proxy: "_rules". */
  readonly path: string;
  readonly title: string;
  readonly needs?: Route["needs"];
  readonly doc: Omit<RouteDoc, "tag">;
  /** The JSON of the answer; undefined is 404. */
  readonly answer: (inspection: Inspection) => Promise<unknown>;
}

/** A GET below one proxy. */
export function inspectionRoute(context: Context, route: InspectionRoute): Route {
  return {
    method: "GET",
    path: `/meshes/{mesh}/dataplanes/{name}/${route.path}`,
    title: route.title,
    type: "Dataplane",
    needs: route.needs ?? "read",
    doc: { ...route.doc, tag: "Inspect" },
    handle: handlerOf(context, route),
  };
}

function handlerOf({ ports }: Context, route: InspectionRoute): Handler {
  return async (request) => {
    const proxy = await requireProxy({ ports }, request);
    const answer = await route.answer({ proxy, inspect: ports.inspect, request });
    if (answer === undefined)
      throw notFound("path", `the proxy "${proxy.name}" has nothing under ${request.url.pathname}`);
    return ok(answer);
  };
}

/** The Dataplane of the path. Throws ApiError 404. */
export function requireProxy({ ports }: Pick<Context, "ports">, request: ApiRequest): Promise<Resource> {
  const key = { mesh: param(request, "mesh"), name: param(request, "name") };
  return requireResource(ports.store, kindOf(ports.kinds, "Dataplane"), key);
}
