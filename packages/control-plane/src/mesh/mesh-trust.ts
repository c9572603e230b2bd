import type { Compiled } from "@heddle/engine/compile.ts";
import { authoritiesSecret, trustDomainsSecret } from "@heddle/engine/emit/secrets.ts";
import { identityOf, type ProxyIdentity, TRUST_BUNDLE } from "@heddle/engine/snapshot/identity.ts";
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
  /** Whether a certificate is being signed for it. */
  readonly isIssuing: (proxy: Proxy) => boolean;
}

/** A proxy that does not have something yet, and why. */
export interface Behind {
  readonly name: string;
  readonly reason: string;
}

/** What the proxies of a mesh trust, as Envoy gets it, and who has it already. */
export class MeshTrust {
  readonly #authorities: Authorities;
  #isAwaited = false;
  readonly #last = new Map<string, { readonly text: string; readonly resource: EncodedResource }>();

  constructor(authorities: Authorities) {
    this.#authorities = authorities;
  }

  /** Without anything to trust a proxy would refuse everybody; it keeps what it has until that is known. */
  isKnown({ identity }: Compiled, mesh: MeshSnapshot): boolean {
    return identity?.tls.issuer !== "Mesh" || this.#authorities.meshBundle(mesh) !== "";
  }

  /** Whether some proxy has not acknowledged yet what the mesh trusts now: a new certificate may have to wait for that. */
  isAwaited(mesh: Members): boolean {
    const isAwaited = !this.#isWithAll(mesh);
    // Somebody else may wait since an earlier question, and is told when it has arrived.
    this.#isAwaited ||= isAwaited;
    return isAwaited;
  }

  /** Whether what was awaited has reached everybody; true once. */
  hasArrived(mesh: Members): boolean {
    if (!this.#isAwaited || !this.#isWithAll(mesh)) return false;
    this.#isAwaited = false;
    return true;
  }

  /** Who does not have what the mesh trusts now. */
  *behind(mesh: Members): Generator<Behind> {
    const { proxies, snapshot } = mesh;
    // Put together once for all, not once for each of thousands.
    const secrets = new Map<string, EncodedResource>();
    const secretOf = (identity: ProxyIdentity): EncodedResource => {
      const { trustSecret } = identity.tls;
      const secret = secrets.get(trustSecret) ?? this.secret(identity, snapshot);
      secrets.set(trustSecret, secret);
      return secret;
    };
    for (const proxy of proxies.values()) {
      const isNew = proxy.published === 0 && mesh.isIssuing(proxy);
      const reason = isNew ? "gets its first certificate" : lag(proxy, secretOf);
      if (reason !== undefined) yield { name: proxy.name, reason };
    }
    // Its connection broke, or this control plane has just started: what it knows is what it knew then.
    for (const [name, { facts, resource }] of snapshot.dataplanes) {
      if (facts.online && !proxies.has(name) && identityOf(snapshot, resource) !== undefined)
        yield { name, reason: "has lost its connection and is expected back" };
    }
  }

  #isWithAll(mesh: Members): boolean {
    return this.behind(mesh).next().done === true;
  }

  /** The secret with what a proxy of this identity trusts; all of one generation share it. */
  secret(identity: ProxyIdentity, mesh: MeshSnapshot): EncodedResource {
    const name = identity.tls.trustSecret;
    const own = this.#authorities.meshBundle(mesh);
    // This runs for every set that goes out, so the bundles of the other generation are not put together for nothing.
    const bundles = name === TRUST_BUNDLE ? trustBundles(mesh, own) : undefined;
    const text = bundles === undefined ? own : JSON.stringify([...bundles]);
    const known = this.#last.get(name);
    if (known?.text === text) return known.resource;
    const resource = bundles === undefined ? authoritiesSecret(name, text) : trustDomainsSecret(name, bundles);
    this.#last.set(name, { text, resource });
    return resource;
  }
}

function lag(
  { compiled, held, published, acknowledgedSet, rejections }: Proxy,
  secretOf: (identity: ProxyIdentity) => EncodedResource,
): string | undefined {
  if (compiled === undefined) return "has no configuration yet";
  const { identity } = compiled;
  if (identity === undefined || identity.tls.agent !== undefined) return undefined;
  // Whoever cannot get a certificate has nothing at all; one that is back has what it had.
  if (published === 0) return held === undefined ? undefined : "has just returned";
  const { typeUrl, name, version } = secretOf(identity);
  const refusal = rejections.get(`${typeUrl} ${name}`);
  if (refusal !== undefined) return `refuses it: ${refusal.detail}`;
  const has = acknowledgedSet?.get(TYPE_URL.secret)?.get(name)?.version === version;
  return has ? undefined : "has not acknowledged it";
}
