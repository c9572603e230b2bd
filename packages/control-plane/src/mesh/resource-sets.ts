import { type Compiled, discovered, endpointOrder } from "@heddle/engine/compile.ts";
import type { Destination } from "@heddle/engine/plan/plan.ts";
import { endpointsOf, serviceKey } from "@heddle/engine/plan/resolve.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import type { ResourceSet } from "@heddle/xds/resource.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import { Assignments } from "./assignments.ts";
import type { ExternalSecrets } from "./external-secrets.ts";
import type { MeshTrust } from "./mesh-trust.ts";
import type { Proxy } from "./proxy.ts";

/** The mesh as its users want it, and as a proxy has it while policies are tried out. */
interface Snapshots {
  readonly wanted: MeshSnapshot;
  readonly staged: MeshSnapshot;
}

/** Puts together what proxies get: what was compiled for them, with endpoints and secrets. */
export class ResourceSets {
  readonly #assignments = new Assignments();
  readonly #trust: MeshTrust;
  readonly #externalSecrets: ExternalSecrets;

  constructor(trust: MeshTrust, externalSecrets: ExternalSecrets) {
    this.#trust = trust;
    this.#externalSecrets = externalSecrets;
  }

  /** Everything a proxy gets. */
  whole(proxy: Pick<Proxy, "held" | "serverTrust">, compiled: Compiled, snapshots: Snapshots): ResourceSet {
    const endpoints = discovered(compiled).map(
      (destination) => [destination.key, this.#assignment(snapshots.wanted, compiled, destination)] as const,
    );
    return new Map(compiled.resources)
      .set(TYPE_URL.endpoint, new Map(endpoints))
      .set(TYPE_URL.secret, this.#secrets(proxy, compiled, snapshots));
  }

  /** A set with the instances of one service as they are now; undefined while there is no such set. */
  withEndpoints({ set, compiled }: Proxy, key: string, mesh: MeshSnapshot): ResourceSet | undefined {
    const old = set.get(TYPE_URL.endpoint);
    if (compiled === undefined || old === undefined) return undefined;
    const endpoints = new Map(old);
    for (const destination of discovered(compiled)) {
      if (serviceKey(destination) === key)
        endpoints.set(destination.key, this.#assignment(mesh, compiled, destination));
    }
    return new Map(set).set(TYPE_URL.endpoint, endpoints);
  }

  #assignment(mesh: MeshSnapshot, compiled: Compiled, destination: Destination): EncodedResource {
    const endpoints = endpointsOf(mesh, destination);
    return this.#assignments.get(destination.key, endpoints, endpointOrder(compiled, destination));
  }

  #secrets(
    { held, serverTrust }: Pick<Proxy, "held" | "serverTrust">,
    { identity, destinations }: Compiled,
    { wanted, staged }: Snapshots,
  ): ReadonlyMap<string, EncodedResource> {
    const own =
      identity === undefined || held === undefined || identity.tls.agent !== undefined
        ? []
        : [held.secret, ...this.#trust.secrets({ identity, serverTrust }, wanted)];
    const external = this.#externalSecrets.secretsFor(staged, destinations.values());
    return new Map([...own, ...external].map((secret) => [secret.name, secret]));
  }
}
