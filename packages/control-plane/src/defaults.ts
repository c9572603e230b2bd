import { randomUUID } from "node:crypto";
import { hostname, networkInterfaces } from "node:os";
import { type Place, withOwnedLabels } from "@heddle/api/resources/owned-labels.ts";
import type { CertificateAndKey } from "@heddle/identity/certificate.ts";
import { createServerCertificate, DEFAULT_SERVER_VALIDITY_SECONDS } from "@heddle/identity/server-certificate.ts";
import { hostnameGenerator } from "@heddle/model/kinds/hostname-generator.ts";
import { mesh } from "@heddle/model/kinds/mesh.ts";
import { zone } from "@heddle/model/kinds/system.ts";
import type { Kind } from "@heddle/model/kind.ts";
import { type Store, StoreError } from "@heddle/model/store.ts";
import { defaultGenerators } from "./service-status/default-generators.ts";
import type { Secrets } from "./secrets.ts";

const DEFAULT_MESH = "default";
const SERVER_CERTIFICATE = "control-plane-server-certificate";
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

/**
 * The certificate of the control plane's ports when the operator gives none. It is made once and kept in the store:
 * proxies were told to trust it, so another one after a restart would lock them out.
 */
export async function serverCertificate(
  secrets: Secrets,
  hosts: readonly string[],
  now: Date,
): Promise<CertificateAndKey> {
  const stored = await secrets.ensure("", SERVER_CERTIFICATE, async () => {
    const made = await createServerCertificate({
      usage: "server",
      commonName: "heddle-control-plane",
      hosts: [...new Set([...hosts, ...ownHosts()])],
      keyType: "ecdsa-p256",
      validitySeconds: DEFAULT_SERVER_VALIDITY_SECONDS,
      now,
    });
    if (!made.ok)
      throw new Error(
        `Cannot make the server certificate: ${made.violations.map(({ message }) => message).join("; ")}; correct --hosts`,
      );
    return JSON.stringify(made.value);
  });
  return JSON.parse(stored) as CertificateAndKey;
}

function ownHosts(): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address));
  const routable = addresses.filter((address) => !address.toLowerCase().startsWith("fe80:"));
  const name = hostname();
  return ["localhost", "127.0.0.1", "::1", ...(/^[A-Za-z0-9.-]+$/.test(name) ? [name] : []), ...routable];
}
