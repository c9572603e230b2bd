import type { KindRegistry } from "@heddle/model/kind.ts";
import { formatKri, kriOf, type Kri, parseKri } from "@heddle/model/kri.ts";
import { LABEL } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { Context } from "../context.ts";
import { invalid, notFound } from "../http/api-error.ts";
import { type Answer, type ApiRequest, ok, param, type Route } from "../http/route.ts";
import type { Reader } from "../ports.ts";
import { FORM_PARAMETERS, inForm } from "../resources/form.ts";
import { etagOf } from "../resources/present.ts";

/** A resource by its identifier, wherever it is. */
export function kriRoute({ ports }: Context): Route {
  return {
    method: "GET",
    path: "/_kri/{kri}",
    title: "Could not retrieve a resource",
    needs: "read",
    doc: { summary: "Get a resource by its KRI", tag: "Control plane", query: FORM_PARAMETERS, answer: "The resource" },
    handle: (request) => byKri(ports.store, ports.kinds, request),
  };
}

async function byKri(read: Reader, kinds: KindRegistry, request: ApiRequest): Promise<Answer> {
  const text = param(request, "kri");
  const parsed = parseKri(text, "kri");
  if (!parsed.ok) throw invalid(parsed.violations, "Invalid KRI");
  const kind = kinds.byShortName(parsed.value.shortName);
  if (kind === undefined) {
    const known = kinds.all.flatMap((each) => each.shortName ?? []).join(", ");
    const message = `has an unknown short name "${parsed.value.shortName}"; known: ${known}`;
    throw invalid([{ field: "kri", message }], "Invalid KRI");
  }
  const resource = await find(read, kind.type, parsed.value);
  if (resource === undefined) throw notFound("kri", `there is no ${kind.type} with the KRI ${text}`);
  return ok(inForm(kind, resource, request.query), { etag: etagOf(resource) });
}

// What was made here is stored under its own name. What came from elsewhere has another one, yet keeps its labels.
async function find(read: Reader, type: string, kri: Kri): Promise<Resource | undefined> {
  const wanted = formatKri({ ...kri, section: "" });
  const isWanted = (resource: Resource): boolean => formatKri(kriOf(kri.shortName, resource)) === wanted;
  const own = await read.get({ type, mesh: kri.mesh, name: kri.name });
  if (own !== undefined && isWanted(own)) return own;
  const query = { type, mesh: kri.mesh, labels: { [LABEL.displayName]: kri.name }, where: isWanted, size: 1 };
  return (await read.list(query)).items[0];
}
