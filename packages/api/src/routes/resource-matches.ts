import type { Kind } from "@heddle/model/kind.ts";
import { nameOrder, pageOfKeys } from "../resources/page-of-keys.ts";
import type { Context } from "../context.ts";
import { type ApiRequest, ok, type Route } from "../http/route.ts";
import type { ProxyKey } from "../ports.ts";
import { envelope } from "../resources/envelope.ts";
import { kindOf, requireResource } from "../resources/find.ts";
import { LIST_PARAMETERS } from "../resources/list-query.ts";
import { metaOf } from "../resources/present.ts";
import { keyIn } from "./resource-get.ts";

/** Which proxies a policy selects. */
export function matchesRoutes(context: Context, kind: Kind): readonly Route[] {
  if (kind.policy === undefined) return [];
  const path = `/meshes/{mesh}/${kind.path}/{name}`;
  const doc = { summary: `List the proxies that a ${kind.singular} selects`, tag: kind.plural, query: LIST_PARAMETERS };
  const common = { method: "GET", title: "Could not retrieve matched dataplanes", needs: "read" } as const;
  // The second spelling is what `kumactl inspect KIND NAME --new-api` of Kuma 2.x asks for.
  const current = [
    { path: `${path}/_resources/dataplanes`, alias: false },
    { path: `${path}/-resources/dataplanes`, alias: true },
  ];
  return [
    ...current.map((at): Route => ({
      ...common,
      path: at.path,
      doc: { ...doc, answer: "One page of {type, mesh, name, labels, kri}", alias: at.alias },
      handle: async (request) => ok(await metas(context, await matched(context, kind, request), request)),
    })),
    {
      ...common,
      path: `${path}/dataplanes`,
      doc: { ...doc, answer: "Kuma 2.x: {total, items: [{kind, dataplane, attachments}]}", alias: true },
      handle: async (request) => ok(attachments(await matched(context, kind, request))),
    },
  ];
}

async function matched({ ports }: Context, kind: Kind, request: ApiRequest): Promise<readonly ProxyKey[]> {
  const policy = await requireResource(ports.store, kind, keyIn(kind, request));
  const keys = await ports.inspect.matchedDataplanes({ type: kind.type, mesh: policy.mesh, name: policy.name });
  return keys.toSorted(nameOrder);
}

async function metas({ ports }: Context, keys: readonly ProxyKey[], request: ApiRequest): Promise<object> {
  const dataplane = kindOf(ports.kinds, "Dataplane");
  const page = pageOfKeys(keys, request.query);
  const found = await Promise.all(page.items.map((key) => ports.store.get({ type: "Dataplane", ...key })));
  // A proxy that left between the two looks is left out.
  const items = found.flatMap((proxy) => (proxy === undefined ? [] : [metaOf(dataplane, proxy)]));
  return envelope(request.url, { ...page, items });
}

function attachments(keys: readonly ProxyKey[]): object {
  const items = keys.map(({ mesh, name }) => ({
    kind: "SidecarDataplane",
    dataplane: { mesh, name },
    attachments: [{ type: "dataplane", name: "", service: "" }],
  }));
  return { total: items.length, items };
}
