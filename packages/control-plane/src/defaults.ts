import { randomUUID } from "node:crypto";
import { type Place, withOwnedLabels } from "@heddle/api/resources/owned-labels.ts";
import { hostnameGenerator } from "@heddle/model/kinds/hostname-generator.ts";
import { mesh } from "@heddle/model/kinds/mesh.ts";
import { zone } from "@heddle/model/kinds/system.ts";
import type { Kind } from "@heddle/model/kind.ts";
import { type Store, StoreError } from "@heddle/model/store.ts";
import { defaultGenerators } from "./service-status/default-generators.ts";
import type { Secrets } from "./secrets.ts";

const DEFAULT_MESH = "default";
const CLUSTER_ID = "control-plane-cluster-id";

/** Makes what every installation has, unless it is there: the zone, the mesh `default` and what gives services their names. */
export async function createDefaults(
  store: Store,
  place: Place,
  options: { readonly skipMesh: boolean; readonly skipHostnameGenerators: boolean; readonly isNew: boolean },
): Promise<void> {
  await createOnce(store, zone, { name: place.zone, place });
  // Only a new store: an operator who deleted the mesh does not want it back at the next start.
  if (!options.isNew) return;
  if (!options.skipMesh) await createOnce(store, mesh, { name: DEFAULT_MESH, place });
  if (options.skipHostnameGenerators) return;
  for (const [name, spec] of Object.entries(defaultGenerators(place)))
    await createOnce(store, hostnameGenerator, { name, spec, place });
}

interface Default {
  readonly name: string;
  readonly spec?: object;
  readonly place: Place;
}

async function createOnce(store: Store, kind: Kind, { name, spec = {}, place }: Default): Promise<void> {
  if ((await store.get({ type: kind.type, mesh: "", name })) !== undefined) return;
  const labelled = withOwnedLabels(kind, { type: kind.type, mesh: "", name, labels: {}, spec }, place);
  if (!labelled.ok) return;
  try {
    await store.create(labelled.value);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== "already_exists") throw error;
  }
}

/** The id that all control planes over one store share, made at the first start. */
export async function clusterId(secrets: Secrets): Promise<string> {
  return await secrets.ensure("", CLUSTER_ID, async () => randomUUID());
}
