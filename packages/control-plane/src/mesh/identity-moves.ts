import { identityHeldAs, identityOf, type ProxyIdentity, trusts } from "@heddle/engine/snapshot/identity.ts";
import type { MeshChange } from "@heddle/engine/snapshot/apply-changes.ts";
import type { DataplaneEntry, EarlierIdentity, MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import type { Held } from "../identity/certificates.ts";
import type { Proxy } from "./proxy.ts";

/** A mesh, its connected proxies, and what each proxy was issued last. */
interface Members {
  readonly snapshot: MeshSnapshot;
  readonly proxies: ReadonlyMap<string, Proxy>;
  readonly certificates: ReadonlyMap<string, Held>;
}

/**
 * Takes proxies from one identity to another with no refused request: a proxy shows what it has until every other one
 * has acknowledged whom it will meet, and clients accept both until it shows the new one.
 */
export class IdentityMoves {
  /** What each proxy has to acknowledge before anybody moves; absent while that is still being compiled. */
  #targets: ReadonlyMap<Proxy, number> | undefined;
  #isAnnounced = false;
  readonly #apply: (changes: readonly MeshChange[]) => void;

  /** `apply` makes changes known to the mesh. */
  constructor(apply: (changes: readonly MeshChange[]) => void) {
    this.#apply = apply;
  }

  /** What else changes with these changes: who keeps its identity for now. */
  begin(changes: readonly MeshChange[], { snapshot, certificates }: Members): readonly MeshChange[] {
    const after = withTrustOf(snapshot, changes);
    if (after !== snapshot) this.#targets = undefined;
    const written = writtenDataplanes(changes);
    const names = after === snapshot ? written.keys() : certificates.keys();
    const moves = [...names].flatMap((name): readonly MeshChange[] => {
      const entry = snapshot.dataplanes.get(name);
      const resource = written.get(name) ?? entry?.resource;
      const held = certificates.get(name);
      if (resource === undefined || held === undefined) return [];
      const earlier = earlierOf(identityOf(after, resource), held, entry?.earlier);
      return isSame(earlier, entry?.earlier) ? [] : [{ what: "identity", dataplane: name, earlier }];
    });
    this.#announce(moves);
    return moves;
  }

  /** A certificate from before this control plane started: gives it with the SPIFFE IDs that must be in it. */
  remember(name: string, held: Held, snapshot: MeshSnapshot): Held {
    const entry = snapshot.dataplanes.get(name);
    const identity = entry === undefined ? undefined : identityHeldAs(snapshot, entry.resource, held.secret.name);
    if (entry === undefined || identity === undefined) return held;
    const known = { ...held, ids: { spiffeIds: identity.spiffeIds, by: identity.issuer.by } };
    const earlier = earlierOf(identityOf(snapshot, entry.resource), known, undefined);
    if (earlier !== undefined) {
      this.#announce([{ what: "identity", dataplane: name, earlier }]);
      this.#apply([{ what: "identity", dataplane: name, earlier }]);
    }
    return known;
  }

  /** Everything is compiled: whoever has something to acknowledge is waited for. */
  compiled(mesh: Members): void {
    if (this.#isAnnounced && this.#targets === undefined)
      this.#targets = new Map([...mesh.proxies.values()].map((proxy) => [proxy, proxy.published]));
    this.moveOn(mesh);
  }

  /** A proxy acknowledged what it was sent. */
  heard(proxy: Proxy, mesh: Members): void {
    const entry = mesh.snapshot.dataplanes.get(proxy.name);
    if (entry !== undefined && hasLeft(entry, proxy, mesh.snapshot)) this.forget(proxy.name, mesh.snapshot);
    this.moveOn(mesh);
  }

  /** A proxy will never show its earlier identity again. */
  forget(dataplane: string, { dataplanes }: MeshSnapshot): void {
    if (dataplanes.get(dataplane)?.earlier === undefined) return;
    this.#apply([{ what: "identity", dataplane, earlier: undefined }]);
  }

  /** A proxy gives its earlier identity up, whoever knows the next one. */
  hurry(dataplane: string, { dataplanes }: MeshSnapshot): void {
    const { earlier } = dataplanes.get(dataplane) ?? {};
    if (earlier?.isLeaving === false) this.#apply([leaving(dataplane, earlier)]);
  }

  /** Proxies get their new identity once everybody knows it. */
  moveOn(mesh: Members): void {
    const targets = this.#targets;
    if (!this.#isAnnounced || targets === undefined || !isKnownToAll(mesh, targets)) return;
    const waiting = [...mesh.snapshot.dataplanes].filter(([, { earlier }]) => earlier?.isLeaving === false);
    const moving = waiting.filter(([, entry]) => canShow(mesh.snapshot, entry));
    // Some would be accepted by nobody as it is: they keep what they have, until that is repaired.
    this.#isAnnounced = moving.length < waiting.length;
    if (moving.length > 0)
      this.#apply(moving.flatMap(([name, { earlier }]) => (earlier === undefined ? [] : [leaving(name, earlier)])));
  }

  #announce(moves: readonly MeshChange[]): void {
    if (!moves.some((move) => move.what === "identity" && move.earlier?.isLeaving === false)) return;
    this.#isAnnounced = true;
    this.#targets = undefined;
  }
}

function canShow(snapshot: MeshSnapshot, { resource }: DataplaneEntry): boolean {
  const meant = identityOf(snapshot, resource);
  return meant !== undefined && meant.problem === undefined && trusts(snapshot, meant);
}

function leaving(dataplane: string, earlier: EarlierIdentity): MeshChange {
  return { what: "identity", dataplane, earlier: { ...earlier, isLeaving: true } };
}

/** Whether a proxy that was given another identity has acknowledged it: nobody will see the earlier one again. */
function hasLeft({ earlier, resource }: DataplaneEntry, proxy: Proxy, snapshot: MeshSnapshot): boolean {
  const { held, acknowledgedSet } = proxy;
  const meant = identityOf(snapshot, resource);
  if (earlier?.isLeaving !== true || held === undefined || meant === undefined || !isOf(held, meant)) return false;
  return acknowledgedSet?.get(TYPE_URL.secret)?.get(held.secret.name)?.version === held.secret.version;
}

function earlierOf(
  meant: ProxyIdentity | undefined,
  held: Held,
  before: EarlierIdentity | undefined,
): EarlierIdentity | undefined {
  if (meant === undefined || held.ids === undefined) return undefined;
  if (isOf(held, meant)) return before?.isLeaving === true ? before : undefined;
  const next = [meant.tls.identitySecret, ...meant.spiffeIds].join(" ");
  if (before?.next === next) return before;
  const spiffeIds = [...new Set([...held.ids.spiffeIds, ...(before?.spiffeIds ?? [])])];
  return { issuer: held.ids.by, secret: held.secret.name, spiffeIds, next, isLeaving: false };
}

function isOf({ secret, ids }: Held, { tls, spiffeIds }: ProxyIdentity): boolean {
  return secret.name === tls.identitySecret && ids?.spiffeIds.join() === spiffeIds.join();
}

function isSame(a: EarlierIdentity | undefined, b: EarlierIdentity | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The snapshot with what changes say about identities, and nothing else of them; the same one when that is nothing. */
function withTrustOf(snapshot: MeshSnapshot, changes: readonly MeshChange[]): MeshSnapshot {
  const about = changes.filter((change) => "resource" in change && ABOUT_TRUST.has(change.resource.type));
  return about.reduce((mesh, change) => withOne(mesh, change), snapshot);
}

const ABOUT_TRUST: ReadonlySet<string> = new Set(["Mesh", "MeshIdentity", "MeshTrust"]);

function withOne(mesh: MeshSnapshot, change: MeshChange): MeshSnapshot {
  if (!("resource" in change)) return mesh;
  const { what, resource } = change;
  if (resource.type === "Mesh") return { ...mesh, mesh: resource as MeshSnapshot["mesh"] };
  const list = resource.type === "MeshIdentity" ? "identities" : "trusts";
  const resources = new Map<string, Resource>(mesh[list]);
  if (what === "put") resources.set(resource.name, resource);
  else resources.delete(resource.name);
  return { ...mesh, [list]: resources };
}

function writtenDataplanes(changes: readonly MeshChange[]): ReadonlyMap<string, Resource<DataplaneSpec>> {
  const written = new Map<string, Resource<DataplaneSpec>>();
  for (const change of changes) {
    if (!("resource" in change) || change.resource.type !== "Dataplane") continue;
    if (change.what === "put") written.set(change.resource.name, change.resource as Resource<DataplaneSpec>);
    else written.delete(change.resource.name);
  }
  return written;
}

function isKnownToAll({ snapshot, proxies }: Members, targets: ReadonlyMap<Proxy, number>): boolean {
  for (const [name, { facts }] of snapshot.dataplanes) {
    const proxy = proxies.get(name);
    // Its connection broke: it goes on with what it knew then, until it is back or known to be gone.
    if (proxy === undefined ? facts.online : !hasAcknowledged(proxy, targets.get(proxy))) return false;
  }
  return true;
}

/** One that came since gets everything at once. One that has nothing to show yet calls nobody. */
function hasAcknowledged(proxy: Proxy, target = 1): boolean {
  return proxy.acknowledged >= target || (proxy.compiled !== undefined && proxy.published === 0);
}
