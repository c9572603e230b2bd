import type { Kind } from "@heddle/model/kind.ts";
import type { Context } from "../context.ts";
import { type ApiRequest, ok, type Route } from "../http/route.ts";
import { envelope } from "../resources/envelope.ts";
import { requireResource } from "../resources/find.ts";
import { type Overview, overviewOf, OVERVIEWS } from "../resources/overview.ts";
import { collectionPath } from "./kind-paths.ts";
import { keyIn } from "./resource-get.ts";
import { listParameters, pageFor } from "./resource-list.ts";

/** `_overview` of one and of many, for the kinds that have insights, and the older spellings of the same. */
export function overviewRoutes(context: Context, kind: Kind): readonly Route[] {
  const overview = OVERVIEWS[kind.type];
  if (overview === undefined) return [];
  const own = collectionPath(kind, kind.path);
  const legacy = collectionPath(kind, overview.legacyPath);
  const lists = kind.scope === "Mesh" ? [own, `/${kind.path}`] : [own];
  const legacyLists = kind.scope === "Mesh" ? [legacy, `/${overview.legacyPath}`] : [legacy];
  return [
    oneRoute(context, kind, { path: `${own}/{name}/_overview`, alias: false }),
    oneRoute(context, kind, { path: `${legacy}/{name}`, alias: true }),
    ...lists.map((path) => manyRoute(context, kind, { path: `${path}/_overview`, alias: false })),
    ...legacyLists.map((path) => manyRoute(context, kind, { path, alias: true })),
  ];
}

interface At {
  readonly path: string;
  readonly alias: boolean;
}

function oneRoute({ ports }: Context, kind: Kind, { path, alias }: At): Route {
  return {
    method: "GET",
    path,
    title: "Could not retrieve a resource",
    needs: "read",
    doc: { summary: `Get a ${kind.singular} with its insight`, tag: kind.plural, answer: shape(kind), alias },
    handle: async (request: ApiRequest) => {
      const resource = await requireResource(ports.store, kind, keyIn(kind, request));
      return ok(await overviewOf(ports.store, kind, resource));
    },
  };
}

function manyRoute({ ports }: Context, kind: Kind, { path, alias }: At): Route {
  return {
    method: "GET",
    path,
    title: "Could not retrieve resources",
    needs: "read",
    doc: {
      summary: `List ${kind.plural} with their insights`,
      tag: kind.plural,
      query: listParameters(kind),
      answer: `One page; each item is ${shape(kind)}`,
      alias,
    },
    handle: async (request: ApiRequest) => {
      const page = await pageFor(ports.store, kind, request);
      const items = await Promise.all(page.items.map((item) => overviewOf(ports.store, kind, item)));
      return ok(envelope(request.url, { ...page, items }));
    },
  };
}

function shape(kind: Kind): string {
  const { fields } = OVERVIEWS[kind.type] as Overview;
  return `{${fields.join(", ")}} beside name, mesh, labels and times`;
}
