import type { KindRegistry } from "@heddle/model/kind.ts";
import { type ResourceKey } from "@heddle/model/resource.ts";
import { type Store, StoreError } from "@heddle/model/store.ts";

/** What cannot stay without a resource: everything in a mesh, the insight of a proxy or a zone. */
export async function dependentsOf(
  store: Store,
  kinds: KindRegistry,
  owner: ResourceKey,
): Promise<readonly ResourceKey[]> {
  switch (owner.type) {
    case "Mesh":
      return inMesh(store, kinds, owner.name);
    case "Dataplane":
      return [{ type: "DataplaneInsight", mesh: owner.mesh, name: owner.name }];
    case "Zone":
      return [{ type: "ZoneInsight", mesh: "", name: owner.name }];
    default:
      return [];
  }
}

/** Removes resources; those already gone are fine. */
export async function removeAll(store: Store, keys: readonly ResourceKey[]): Promise<void> {
  await Promise.all(keys.map((key) => removeOne(store, key)));
}

async function inMesh(store: Store, kinds: KindRegistry, mesh: string): Promise<readonly ResourceKey[]> {
  const types = kinds.all.filter((kind) => kind.scope === "Mesh").map((kind) => kind.type);
  const pages = await Promise.all(types.map((type) => store.list({ type, mesh })));
  return pages.flatMap((page) => page.items).map(({ type, name }) => ({ type, mesh, name }));
}

async function removeOne(store: Store, key: ResourceKey): Promise<void> {
  try {
    await store.delete(key);
  } catch (error) {
    if (!(error instanceof StoreError && error.code === "not_found")) throw error;
  }
}
