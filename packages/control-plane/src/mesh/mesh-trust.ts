import type { Compiled } from "@heddle/engine/compile.ts";
import { authoritiesSecret, trustDomainsSecret } from "@heddle/engine/emit/secrets.ts";
import { type ProxyIdentity, TRUST_BUNDLE } from "@heddle/engine/snapshot/identity.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import type { Authorities } from "../identity/authorities.ts";
import type { Proxy } from "./proxy.ts";
import { trustBundles } from "./trust-bundles.ts";

/** A mesh and its connected proxies. */
interface Members {
  readonly proxies: ReadonlyMap<string, Proxy>;
  readonly snapshot: MeshSnapshot;
}

/** What the proxies of a mesh trust, as Envoy gets it, and who has it already. */
export class MeshTrust {
  readonly #authorities: Authorities;
  #isAwaited = false;
  #last: { readonly text: string; readonly resource: EncodedResource } | undefined;

  constructor(authorities: Authorities) {
    this.#authorities = authorities;
  }

  /** Without anything to trust a proxy would refuse everybody; it keeps what it has until that is known. */
  isKnown({ identity }: Compiled, mesh: MeshSnapshot): boolean {
    return identity?.tls.issuer !== "Mesh" || this.#authorities.meshBundle(mesh) !== "";
  }

  /** Whether some proxy has not acknowledged yet what the mesh trusts now: a new certificate may have to wait for that. */
  isAwaited(mesh: Members): boolean {
    this.#isAwaited = !this.#isWithAll(mesh);
    return this.#isAwaited;
  }

  /** Whether what was awaited has reached everybody; true once. */
  hasArrived(mesh: Members): boolean {
    if (!this.#isAwaited || !this.#isWithAll(mesh)) return false;
    this.#isAwaited = false;
    return true;
  }

  #isWithAll({ proxies, snapshot: mesh }: Members): boolean {
    let version: string | undefined;
    for (const { compiled, published, acknowledgedSet } of proxies.values()) {
      const identity = compiled?.identity;
      if (identity === undefined || published === 0) continue;
      version ??= this.secret(identity, mesh).version;
      if (acknowledgedSet?.get(TYPE_URL.secret)?.get(identity.tls.trustSecret)?.version !== version) return false;
    }
    return true;
  }

  /** The secret with what a proxy of this identity trusts; all of one generation share it. */
  secret(identity: ProxyIdentity, mesh: MeshSnapshot): EncodedResource {
    const name = identity.tls.trustSecret;
    const own = this.#authorities.meshBundle(mesh);
    // This runs for every set that goes out, so the bundles of the other generation are not put together for nothing.
    const bundles = name === TRUST_BUNDLE ? trustBundles(mesh, own) : undefined;
    const text = bundles === undefined ? own : JSON.stringify([...bundles]);
    if (this.#last?.resource.name === name && this.#last.text === text) return this.#last.resource;
    const resource = bundles === undefined ? authoritiesSecret(name, text) : trustDomainsSecret(name, bundles);
    this.#last = { text, resource };
    return resource;
  }
}
