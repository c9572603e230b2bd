import { ApiError } from "@heddle/api/http/api-error.ts";
import { inspectJsonText } from "@heddle/api/http/json-text.ts";
import { readYaml } from "@heddle/api/http/read-yaml.ts";
import { type Place, withOwnedLabels } from "@heddle/api/resources/owned-labels.ts";
import { canonicalJson } from "@heddle/model/canonical-json.ts";
import { parseJson } from "@heddle/model/json.ts";
import type { KindRegistry } from "@heddle/model/kind.ts";
import { dataplane, type DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import { parseResource } from "@heddle/model/parse-resource.ts";
import type { NewResource, Resource } from "@heddle/model/resource.ts";
import { type Store, StoreError } from "@heddle/model/store.ts";
import type { Parsed } from "@heddle/model/violation.ts";

/** Marks Dataplanes that came with their proxies, and therefore go when their proxies say goodbye. */
export const REGISTERED_BY = "heddle.io/registered-by";

/** Reads the Dataplane that a proxy brought, YAML or JSON, as one that may be stored under the proxy's own name. */
export function parseDataplane(
  kinds: KindRegistry,
  text: string,
  expected: { readonly mesh: string; readonly name: string },
  place: Place,
): Parsed<NewResource<DataplaneSpec>> {
  const document = read(text);
  if (!document.ok) return document;
  const parsed = parseResource(kinds, document.value, { type: "Dataplane", ...expected });
  if (!parsed.ok) return parsed;
  if (parsed.value.mesh !== expected.mesh) {
    return {
      ok: false,
      violations: [
        {
          field: "mesh",
          message: `must be "${expected.mesh}", the mesh that was asked for, not "${parsed.value.mesh}"`,
        },
      ],
    };
  }
  const labels = { ...parsed.value.labels, [REGISTERED_BY]: "proxy" };
  return withOwnedLabels(dataplane, { ...parsed.value, labels } as NewResource<DataplaneSpec>, place);
}

/**
 * Reads what a stranger wrote, before anybody knows who it is, so within the bounds of the REST API. Envoy's metadata
 * holds JSON, and a thousand proxies that come back at once are read ten times as fast as from YAML.
 */
function read(text: string): Parsed<unknown> {
  try {
    if (!text.startsWith("{")) return { ok: true, value: readYaml(text) };
    const trouble = inspectJsonText(text);
    return trouble === undefined ? { ok: true, value: parseJson(text) } : unreadable(trouble);
  } catch (error) {
    if (error instanceof ApiError || error instanceof SyntaxError) return unreadable(error.message);
    throw error;
  }
}

function unreadable(message: string): Parsed<never> {
  return { ok: false, violations: [{ field: "dataplane", message }] };
}

/** Stores the Dataplane of a proxy, unless it is there already as it is. */
export async function register(store: Store, wanted: NewResource<DataplaneSpec>): Promise<Resource<DataplaneSpec>> {
  const stored = await store.get(wanted);
  try {
    if (stored === undefined) return (await store.create(wanted)) as Resource<DataplaneSpec>;
    // One that an operator wrote stays theirs: only its content follows the proxy.
    const { [REGISTERED_BY]: _, ...own } = wanted.labels;
    const labels = stored.labels[REGISTERED_BY] === undefined ? { ...own, ...stored.labels } : wanted.labels;
    if (canonicalJson([stored.spec, stored.labels]) === canonicalJson([wanted.spec, labels]))
      return stored as Resource<DataplaneSpec>;
    return (await store.update({ ...wanted, labels }, stored.version)) as Resource<DataplaneSpec>;
  } catch (error) {
    // Somebody else wrote it meanwhile; theirs is looked at again.
    if (error instanceof StoreError && (error.code === "conflict" || error.code === "already_exists"))
      return await register(store, wanted);
    throw error;
  }
}

/** Deletes the Dataplane of a proxy that said goodbye, with its insight, if it came with the proxy. */
export async function removeGoneDataplane(
  store: Store,
  { mesh, name }: { readonly mesh: string; readonly name: string },
): Promise<void> {
  const stored = await store.get({ type: "Dataplane", mesh, name });
  if (stored?.labels[REGISTERED_BY] === undefined) return;
  await store.delete(stored, stored.version);
  const insight = await store.get({ type: "DataplaneInsight", mesh, name });
  if (insight !== undefined) await store.delete(insight);
}
