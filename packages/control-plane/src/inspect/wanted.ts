import { type Compiled, compile } from "@heddle/engine/compile.ts";
import type { DataplaneEntry, MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { contentHash } from "@heddle/model/canonical-json.ts";
import { enabledBackend } from "@heddle/model/kinds/mesh.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import { resourcesOf } from "./config-report.ts";
import type { InspectOptions } from "./options.ts";

/** A resource that a proxy should have. Of a secret only its name is known, and a version that changes when it does. */
export type Wanted = Omit<EncodedResource, "bytes"> & Partial<Pick<EncodedResource, "bytes">>;

/** By type URL, then by name. */
export type WantedSet = ReadonlyMap<string, ReadonlyMap<string, Wanted>>;

/** Everything that a proxy should have, in this state of its mesh. */
export function wantedBy(options: InspectOptions, mesh: MeshSnapshot, entry: DataplaneEntry): WantedSet {
  const compiled = compile(mesh, entry, options.policies, options.memo);
  const set = new Map<string, ReadonlyMap<string, Wanted>>(resourcesOf(mesh, compiled));
  return compiled.identity === undefined ? set : set.set(TYPE_URL.secret, secretsOf(mesh, compiled));
}

// The authority of a mesh or of an identity that is only planned does not exist yet, so secrets cannot be made here.
function secretsOf(mesh: MeshSnapshot, { identity, serverTrust }: Compiled): ReadonlyMap<string, Wanted> {
  if (identity === undefined || identity.tls.agent !== undefined) return new Map();
  const { tls, issuer, hash } = identity;
  const trust =
    issuer.by === "Mesh" ? enabledBackend(mesh.mesh.spec) : [...mesh.trusts.values()].map(({ spec }) => spec);
  const version = contentHash(trust);
  const names = [tls.trustSecret, ...serverTrust.keys()];
  const secrets = [secret(tls.identitySecret, hash), ...names.map((name) => secret(name, version))];
  return new Map(secrets.map((each) => [each.name, each]));
}

function secret(name: string, version: string): Wanted {
  return { typeUrl: TYPE_URL.secret, name, version };
}
