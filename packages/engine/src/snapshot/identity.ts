import { contentHash } from "@heddle/model/canonical-json.ts";
import { tagSets } from "@heddle/model/kinds/dataplane.ts";
import type { MeshIdentitySpec } from "@heddle/model/kinds/mesh-identity.ts";
import { enabledBackend, type MtlsBackend } from "@heddle/model/kinds/mesh.ts";
import { toMillis } from "@heddle/model/duration.ts";
import { formatKri, kriOf } from "@heddle/model/kri.ts";
import { type Labels, matchesLabels } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { meshCertificateUris, meshServicesOf, spiffeId } from "@heddle/model/spiffe.ts";
import { idOf, Memo, ObjectMemo } from "../memo.ts";
import type { ProxyTls } from "../plan/plan.ts";
import { bundleOfAgent, TRUST_BUNDLE, trustDomainOf } from "../plan/server-trust.ts";
import type { DataplaneEntry, EarlierIdentity, MeshSnapshot } from "./snapshot.ts";

/** Who a proxy is, who signs for it, and how it takes part in mutual TLS. */
export interface ProxyIdentity {
  readonly tls: ProxyTls;
  /** All URIs of its certificate; the SPIFFE IDs first. */
  readonly uris: readonly string[];
  readonly spiffeIds: readonly string[];
  readonly issuer:
    | { readonly by: "Mesh"; readonly backend: string }
    | { readonly by: "MeshIdentity"; readonly resource: Resource<MeshIdentitySpec> };
  /** Differs when a new certificate is needed. */
  readonly hash: string;
  /** Why it cannot be had, such as a label that the SPIFFE ID is made of and the proxy lacks. It gets no certificate. */
  readonly problem?: string | undefined;
  /** It shows what it had before, and gets nothing new until others know what comes. */
  readonly isEarlier?: true;
}

/** The identity of a proxy; undefined when nothing in the mesh gives it one: it then speaks plain text. */
export function identityOf(mesh: MeshSnapshot, proxy: DataplaneEntry["resource"]): ProxyIdentity | undefined {
  const source = `${idOf(mesh.mesh)}|${idOf(mesh.identities)}|${idOf(mesh.trusts)}|${mesh.zone}`;
  const known = latest.get(proxy);
  if (known?.source === source) return known.identity;
  const identity = fromMeshIdentity(mesh, proxy) ?? fromMesh(mesh, proxy);
  latest.set(proxy, { source, identity });
  return identity;
}

// An identity is asked for whenever the proxy or a service of it is looked at, and changes with trust only.
const latest = new WeakMap<object, { readonly source: string; readonly identity: ProxyIdentity | undefined }>();

/** The identity that a proxy shows: the one it had before, until every other proxy knows the one it is meant to have. */
export function identityInForce(mesh: MeshSnapshot, { resource, earlier }: DataplaneEntry): ProxyIdentity | undefined {
  const meant = identityOf(mesh, resource);
  if (meant === undefined || earlier === undefined || earlier.isLeaving) return meant;
  return { ...meant, spiffeIds: earlier.spiffeIds, tls: earlierTls(mesh, earlier), isEarlier: true };
}

/** The identity of a proxy whose secret is called so, also when another one is stronger by now; undefined when it is gone. */
export function identityHeldAs(
  mesh: MeshSnapshot,
  proxy: DataplaneEntry["resource"],
  secret: string,
): ProxyIdentity | undefined {
  const candidates = [fromMesh(mesh, proxy), ...[...mesh.identities.values()].map((each) => idBy(mesh, proxy, each))];
  return candidates.find((each) => each?.tls.identitySecret === secret);
}

/** Whether proxies of the mesh know who may vouch for an identity. */
export function trusts(mesh: MeshSnapshot, { issuer, spiffeIds, tls }: ProxyIdentity): boolean {
  if (issuer.by === "Mesh" || tls.agent !== undefined) return true;
  const domains = [...mesh.trusts.values()].map(({ spec }) => `spiffe://${spec.trustDomain}/`);
  return spiffeIds.every((id) => domains.some((domain) => id.startsWith(domain)));
}

/** Every SPIFFE ID that a proxy may show. */
export function knownIdsOf(mesh: MeshSnapshot, { resource, earlier }: DataplaneEntry): readonly string[] {
  return [...(identityOf(mesh, resource)?.spiffeIds ?? []), ...(earlier?.spiffeIds ?? [])];
}

/** Those of them that say nothing about services, as those of Mesh.mtls do. */
export function workloadIdsOf(mesh: MeshSnapshot, { resource, earlier }: DataplaneEntry): readonly string[] {
  const meant = identityOf(mesh, resource);
  return [
    ...(meant?.issuer.by === "MeshIdentity" ? meant.spiffeIds : []),
    ...(earlier?.issuer === "MeshIdentity" ? earlier.spiffeIds : []),
  ];
}

/** Every SPIFFE ID starts with one of these when its owner belongs to the mesh. */
export function trustPrefixes(mesh: MeshSnapshot): readonly string[] {
  const domains = [...mesh.trusts.values()].map((trust) => `spiffe://${trust.spec.trustDomain}/`);
  const own = enabledBackend(mesh.mesh.spec) === undefined ? [] : [`spiffe://${mesh.mesh.name}/`];
  return [...new Set([...own, ...domains])].toSorted();
}

function fromMeshIdentity(mesh: MeshSnapshot, proxy: DataplaneEntry["resource"]): ProxyIdentity | undefined {
  const resource = chooseIdentity([...mesh.identities.values()], proxy.labels);
  return resource && idBy(mesh, proxy, resource);
}

function idBy(
  mesh: MeshSnapshot,
  proxy: DataplaneEntry["resource"],
  resource: Resource<MeshIdentitySpec>,
): ProxyIdentity {
  const id = spiffeId(resource.spec.spiffeID ?? {}, {
    mesh: mesh.mesh.name,
    zone: mesh.zone,
    labels: proxy.labels,
  });
  // Falling back to another identity, or to plain text, would open what the operator meant to close.
  const uris = id.ok ? [id.value] : [];
  return {
    tls: resource.spec.provider.type === "Spire" ? tlsBySpire(mesh, resource, uris) : tlsByMeshIdentity(mesh, resource),
    uris,
    spiffeIds: uris,
    issuer: { by: "MeshIdentity", resource },
    hash: contentHash([uris, resource.name, resource.spec]),
    problem: id.ok ? undefined : id.violations.map(({ field, message }) => `${field} ${message}`).join("; "),
  };
}

/** The identity whose selector says most about the proxy; among equals the first name. A missing selector is for nobody. */
export function chooseIdentity(
  identities: readonly Resource<MeshIdentitySpec>[],
  labels: Labels,
): Resource<MeshIdentitySpec> | undefined {
  const selectorOf = (each: Resource<MeshIdentitySpec>) => each.spec.selector?.dataplane?.matchLabels;
  return identities
    .filter((each) => {
      const selector = selectorOf(each);
      return selector !== undefined && matchesLabels(selector, labels);
    })
    .toSorted((a, b) => {
      const bySelector = Object.keys(selectorOf(b) ?? {}).length - Object.keys(selectorOf(a) ?? {}).length;
      return bySelector || (a.name < b.name ? -1 : 1);
    })[0];
}

function fromMesh(mesh: MeshSnapshot, proxy: DataplaneEntry["resource"]): ProxyIdentity | undefined {
  const backend = enabledBackend(mesh.mesh.spec);
  if (backend === undefined) return undefined;
  const name = mesh.mesh.name;
  const tags = tagSets(proxy.spec);
  const services = meshServicesOf(tags, proxy.labels, proxy.name);
  const uris = meshCertificateUris(name, tags, services);
  return {
    tls: tlsByMesh(mesh, backend.mode),
    uris,
    spiffeIds: services.map((service) => `spiffe://${name}/${service}`),
    issuer: { by: "Mesh", backend: backend.name },
    hash: contentHash([uris, backend]),
  };
}

// All proxies with the same part in mutual TLS share one object, so that what is made for one serves the others.
const sharedTls = new ObjectMemo<object, ProxyTls>();

function tlsByMeshIdentity(mesh: MeshSnapshot, resource: Resource<MeshIdentitySpec>): ProxyTls {
  return sharedTls.get(resource, `${idOf(mesh.mesh)}|${idOf(mesh.trusts)}`, () => ({
    issuer: "MeshIdentity",
    mode: "strict",
    identitySecret: formatKri(kriOf("mid", resource)),
    trustSecret: TRUST_BUNDLE,
    trustPrefixes: trustPrefixes(mesh),
  }));
}

// Names and bundles as SPIRE's agent serves them by SDS. Whom it federates with is let in only with a MeshTrust, as from
// any other trust domain: then all bundles are needed, which are one secret.
function tlsBySpire(mesh: MeshSnapshot, resource: Resource<MeshIdentitySpec>, [id = ""]: readonly string[]): ProxyTls {
  return agentTls.share(`${idOf(resource)}|${id}|${idOf(mesh.trusts)}`, () => {
    const own = trustDomainOf(id);
    const others = [...mesh.trusts.values()].map(({ spec }) => spec.trustDomain);
    const domains = [...new Set([own, ...others])].toSorted();
    return {
      issuer: "MeshIdentity",
      mode: "strict",
      identitySecret: id,
      trustSecret: domains.length === 1 ? bundleOfAgent(own) : "ALL",
      trustPrefixes: domains.map((domain) => `spiffe://${domain}/`),
      agent: { timeout: toMillis(resource.spec.provider.spire?.agent?.timeout) ?? SPIRE_TIMEOUT },
    };
  });
}

// Each proxy has a name of its own here.
const agentTls = new Memo();
const SPIRE_TIMEOUT = 1_000;

function tlsByMesh(mesh: MeshSnapshot, mode: MtlsBackend["mode"]): ProxyTls {
  const { name } = mesh.mesh;
  return sharedTls.get(mesh.mesh, String(idOf(mesh.trusts)), () => ({
    issuer: "Mesh",
    mode: mode === "PERMISSIVE" ? "permissive" : "strict",
    identitySecret: `system_mtls_identity_${name}`,
    trustSecret: trustOfMesh(mesh),
    trustPrefixes: trustPrefixes(mesh),
  }));
}

function earlierTls(mesh: MeshSnapshot, { issuer, secret }: EarlierIdentity): ProxyTls {
  const isOpen = issuer === "Mesh" && enabledBackend(mesh.mesh.spec)?.mode === "PERMISSIVE";
  return sharedTls.get(mesh.mesh, `${idOf(mesh.trusts)}|${secret}`, () => ({
    issuer,
    mode: isOpen ? "permissive" : "strict",
    identitySecret: secret,
    trustSecret: issuer === "Mesh" ? trustOfMesh(mesh) : TRUST_BUNDLE,
    trustPrefixes: trustPrefixes(mesh),
  }));
}

// Beside other trust domains the authority of the mesh itself may speak for the mesh only, as Kuma 2.14 has it.
function trustOfMesh({ mesh: { name }, trusts }: MeshSnapshot): string {
  return trusts.size === 0 ? `system_mtls_ca_${name}` : TRUST_BUNDLE;
}
