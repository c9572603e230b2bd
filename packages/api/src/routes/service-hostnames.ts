import { type Generator, hostnameBy, NAMED_KINDS } from "@heddle/model/hostnames.ts";
import { LABEL } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { Context } from "../context.ts";
import { type ApiRequest, type Answer, ok, type Route } from "../http/route.ts";
import { kindOf, requireResource } from "../resources/find.ts";
import { keyIn } from "./resource-get.ts";

/** The host names under which applications reach a service, and where. */
export function serviceHostnamesRoutes(context: Context): readonly Route[] {
  const { kinds } = context.ports;
  if (kinds.byType("HostnameGenerator") === undefined) return [];
  return NAMED_KINDS.flatMap((type) => kinds.byType(type) ?? []).map((kind) => ({
    method: "GET",
    path: `/meshes/{mesh}/${kind.path}/{name}/_hostnames`,
    title: `Could not retrieve the host names of a ${kind.type}`,
    needs: "read",
    doc: {
      summary: `List the host names that HostnameGenerators make for a ${kind.type}`,
      tag: kind.plural,
      answer: "{total, items: [{hostname, zones: [{name}]}]}",
    },
    handle: (request) => hostnamesOf(context, kind.type, request),
  }));
}

async function hostnamesOf({ ports }: Context, type: string, request: ApiRequest): Promise<Answer> {
  const kind = kindOf(ports.kinds, type);
  const service = await requireResource(ports.store, kind, keyIn(kind, request));
  const { items: generators } = await ports.store.list({ type: "HostnameGenerator" });
  const { mode, zone } = ports.info;
  const names = new Set(
    (generators as readonly Generator[]).flatMap((generator) =>
      viewsOf(service, mode).flatMap((seen) => {
        const rendered = hostnameBy(generator, seen, zone);
        return rendered?.ok === true ? [rendered.hostname] : [];
      }),
    ),
  );
  const zones = [{ name: service.labels[LABEL.zone] ?? zone }];
  const items = [...names].toSorted().map((hostname) => ({ hostname, zones }));
  return ok({ total: items.length, items });
}

// What one zone made looks to the others as if the global control plane had.
function viewsOf(service: Resource, mode: "zone" | "global"): readonly Resource[] {
  if (mode === "zone") return [service];
  return ["zone", "global"].map((origin) => ({ ...service, labels: { ...service.labels, [LABEL.origin]: origin } }));
}
