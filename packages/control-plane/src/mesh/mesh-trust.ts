import type { Compiled } from "@heddle/engine/compile.ts";
import { authoritiesSecret, nobodysSecret, trustDomainsSecret } from "@heddle/engine/emit/secrets.ts";
import { type ServerTrust, TRUST_BUNDLE } from "@heddle/engine/plan/server-trust.ts";
import { identityOf } from "@heddle/engine/snapshot/identity.ts";
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

type Trusted = Pick<Compiled, "identity" | "serverTrust">;

/** A secret, and what it was made of. */
interface Made {
  readonly own: string;
  readonly trusts: MeshSnapshot["trusts"];
  readonly resource: EncodedResource;
}

/** What the proxies of a mesh trust, as Envoy gets it, and who has it already. */
export class MeshTrust {
  readonly #authorities: Authorities;
  #isAwaited = false;
  readonly #last = new Map<string, Made>();

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
    for (const proxy of proxies.values()) {
      const isNew = proxy.published === 0 && mesh.isIssuing(proxy);
      const reason = isNew ? "gets its first certificate" : lag(proxy, (trust) => this.#secret(trust, snapshot));
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

  /** The secrets with what a proxy trusts: as a server, and in the servers that it calls. */
  secrets(trusted: Trusted, mesh: MeshSnapshot): readonly EncodedResource[] {
    return trustsOf(trusted).map((trust) => this.#secret(trust, mesh));
  }

  /** This runs for every set that goes out, and for all proxies to see who is behind: each secret is made once for all. */
  #secret({ secret: name, domains }: ServerTrust, mesh: MeshSnapshot): EncodedResource {
    const own = this.#authorities.meshBundle(mesh);
    const known = this.#last.get(name);
    if (known !== undefined && known.own === own && known.trusts === mesh.trusts) return known.resource;
    const resource = isBundle(name)
      ? bundleSecret(name, trustBundles(mesh, own), domains)
      : authoritiesSecret(name, own);
    this.#last.set(name, { own, trusts: mesh.trusts, resource });
    return resource;
  }
}

function bundleSecret(name: string, all: ReadonlyMap<string, string>, domains?: readonly string[]): EncodedResource {
  const bundles = domains === undefined ? all : new Map([...all].filter(([domain]) => domains.includes(domain)));
  // Servers of a domain that nobody vouches for (any more) are refused.
  if (bundles.size === 0 && all.size > 0) return nobodysSecret(name, [...all.values()].join("\n"));
  return trustDomainsSecret(name, bundles);
}

function isBundle(secret: string): boolean {
  return secret.startsWith(TRUST_BUNDLE);
}

function trustsOf({ identity, serverTrust }: Trusted): readonly ServerTrust[] {
  return identity === undefined ? [] : [{ secret: identity.tls.trustSecret }, ...serverTrust.values()];
}

function lag(
  { compiled, held, published, acknowledgedSet, rejections }: Proxy,
  secretOf: (trust: ServerTrust) => EncodedResource,
): string | undefined {
  if (compiled === undefined) return "has no configuration yet";
  const { identity } = compiled;
  if (identity === undefined || identity.tls.agent !== undefined) return undefined;
  // Whoever cannot get a certificate has nothing at all; one that is back has what it had.
  if (published === 0) return held === undefined ? undefined : "has just returned";
  for (const trust of trustsOf(compiled)) {
    const { typeUrl, name, version } = secretOf(trust);
    const refusal = rejections.get(`${typeUrl} ${name}`);
    if (refusal !== undefined) return `refuses it: ${refusal.detail}`;
    if (acknowledgedSet?.get(TYPE_URL.secret)?.get(name)?.version !== version) return "has not acknowledged it";
  }
  return undefined;
}
