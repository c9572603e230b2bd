import { isIP } from "node:net";
import { contentHash } from "@heddle/model/canonical-json.ts";
import {
  type ExternalTlsSpec,
  isPipe,
  type MeshExternalServiceSpec,
  pipePath,
} from "@heddle/model/kinds/mesh-external-service.ts";
import { formatKri, kriOf } from "@heddle/model/kri.ts";
import { displayName, LABEL, type Labels } from "@heddle/model/labels.ts";
import { type PemFacts, pemFacts } from "@heddle/model/pem.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { meaningOf, type SecureDataSource } from "@heddle/model/secure-data-source.ts";
import type { External, ExternalEndpoint, OutsideTls } from "../plan/external.ts";
import type { Destination, UpstreamTls } from "../plan/plan.ts";
import { trustDomainOf } from "../plan/server-trust.ts";
import type { TlsVersion } from "../plan/tls-settings.ts";
import { asWritten, serviceTags } from "./legacy.ts";
import type { ServiceView } from "./service-view.ts";
import type { MeshSnapshot } from "./snapshot.ts";
import { viewOf } from "./view-of.ts";

/** Looks at a service outside of the mesh through its clients' eyes. */
export function viewExternalService(mesh: MeshSnapshot, resource: Resource<MeshExternalServiceSpec>): ServiceView {
  const { match } = resource.spec;
  const kri = externalKri(resource);
  const destination: Destination = {
    key: `${kri}${match.port}`,
    kind: "MeshExternalService",
    mesh: mesh.mesh.name,
    name: resource.name,
    kri,
    labels: labelsOf(resource),
    section: String(match.port),
    port: match.port,
    tags: serviceTags(resource),
    protocol: match.protocol ?? "tcp",
    tls: identityTls(resource),
    external: externalOf(mesh, resource),
  };
  const port = [match.port, { destination, endpoints: [] }] as const;
  return viewOf(
    `MeshExternalService/${resource.name}`,
    [port],
    [
      resource.labels,
      resource.creationTime,
      // What is written out in it reaches Envoy as a secret of its own, of which the cluster says the name only.
      contentHash(externalSecrets(resource)),
    ],
  );
}

/** Names of the Secrets that a service outside of the mesh needs. */
export function secretsNamedBy({ tls }: MeshExternalServiceSpec): readonly string[] {
  return sourcesOf(tls).flatMap(({ source }) => {
    const meaning = meaningOf(source);
    return meaning.from === "secret" ? [meaning.name] : [];
  });
}

/** One of the secrets by which the TLS of a service outside of the mesh reaches Envoy, and what is in it. */
export interface ExternalSecret {
  readonly name: string;
  readonly holds:
    | { readonly authorities: SecureDataSource }
    | { readonly certificate: SecureDataSource; readonly key: SecureDataSource };
}

/** The secrets that the cluster of such a service refers to. */
export function externalSecrets(resource: Resource<MeshExternalServiceSpec>): readonly ExternalSecret[] {
  const { tls } = resource.spec;
  if (tls?.enabled !== true) return [];
  const { caCert, clientCert, clientKey } = tls.verification ?? {};
  return [
    ...(caCert === undefined || !verifies(tls)
      ? []
      : [{ name: authoritiesName(resource), holds: { authorities: caCert } }]),
    ...(clientCert === undefined || clientKey === undefined
      ? []
      : [{ name: clientName(resource), holds: { certificate: clientCert, key: clientKey } }]),
  ];
}

function externalKri(resource: Resource): string {
  const written = asWritten(resource);
  return formatKri(kriOf(written.type === "ExternalService" ? "es" : "extsvc", written));
}

function labelsOf(resource: Resource): Labels {
  return { ...resource.labels, [LABEL.displayName]: displayName(resource) };
}

function authoritiesName(resource: Resource): string {
  return `system_extsvc_ca_${externalKri(resource)}`;
}

function clientName(resource: Resource): string {
  return `system_extsvc_client_${externalKri(resource)}`;
}

function externalOf(mesh: MeshSnapshot, resource: Resource<MeshExternalServiceSpec>): External {
  const { tls, extension } = resource.spec;
  const endpoints = endpointsOf(resource.spec);
  const problem =
    extension === undefined
      ? (problemOf(mesh, tls) ?? distrust(mesh, tls))
      : `its extension "${extension.type}" is served by no proxy of this control plane`;
  return {
    endpoints,
    tls: tls?.enabled === true && tls.meshIdentity !== true ? outsideTls(resource, tls, endpoints) : undefined,
    ...(tls?.meshIdentity === true ? { needsIdentity: true } : {}),
    ...(problem === undefined ? {} : { problem }),
  };
}

/** A proxy of another mesh is spoken to as those of this one: with the caller's identity, by its own SPIFFE IDs. */
function identityTls({ spec: { tls } }: Resource<MeshExternalServiceSpec>): UpstreamTls | undefined {
  if (tls?.meshIdentity !== true) return undefined;
  return { sni: tls.verification?.serverName ?? "", identities: foreignIds(tls) };
}

function foreignIds({ verification }: ExternalTlsSpec): readonly string[] {
  return (verification?.subjectAltNames ?? []).map(({ value }) => value);
}

// The authority of this mesh, which proxies trust without any MeshTrust, must not vouch for another one's servers.
function distrust({ trusts }: MeshSnapshot, tls: ExternalTlsSpec | undefined): string | undefined {
  if (tls?.meshIdentity !== true) return undefined;
  const known = new Set([...trusts.values()].map(({ spec }) => spec.trustDomain));
  const domains = [...new Set(foreignIds(tls).map(trustDomainOf))];
  if (domains.some((domain) => known.has(domain))) return undefined;
  return `no MeshTrust of the mesh names ${domains.map((domain) => `trust domain "${domain}"`).join(" or ")}`;
}

function endpointsOf({ endpoints = [] }: MeshExternalServiceSpec): readonly ExternalEndpoint[] {
  const priorities = [...new Set(endpoints.map(({ priority = 0 }) => priority))].toSorted((a, b) => a - b);
  return endpoints.map(({ address, port = 0, priority = 0 }) => ({
    address: isPipe({ address }) ? pipePath(address) : address,
    port,
    priority: priorities.indexOf(priority),
  }));
}

function outsideTls(resource: Resource, tls: ExternalTlsSpec, endpoints: readonly ExternalEndpoint[]): OutsideTls {
  const { version = {}, allowRenegotiation = false, verification = {} } = tls;
  const { serverName, caCert, clientCert } = verification;
  return {
    serverName,
    names: namesOf(tls, endpoints),
    authorities: !verifies(tls) ? "anybody" : caCert === undefined ? "system" : { secret: authoritiesName(resource) },
    clientSecret: clientCert === undefined ? undefined : clientName(resource),
    minVersion: versionOf(version.min),
    maxVersion: versionOf(version.max),
    allowRenegotiation,
  };
}

/** Whether it matters who signed the other side's certificate; without that, what it says means nothing either. */
function verifies({ verification: { mode = "Secured" } = {} }: ExternalTlsSpec): boolean {
  return mode === "Secured" || mode === "SkipSAN";
}

function namesOf(tls: ExternalTlsSpec, endpoints: readonly ExternalEndpoint[]): OutsideTls["names"] {
  const { mode = "Secured", serverName, subjectAltNames = [] } = tls.verification ?? {};
  if (mode !== "Secured") return [];
  const own =
    serverName === undefined ? endpoints.flatMap(({ address, port }) => (port === 0 ? [] : [address])) : [serverName];
  const exact = [...new Set(own)].map((value) => ({ type: "Exact" as const, value: withoutDot(value) }));
  return [...exact, ...subjectAltNames.map(({ type = "Exact", value }) => ({ type, value }))];
}

function withoutDot(name: string): string {
  return isIP(name) === 0 ? name.replace(/\.$/, "") : name;
}

function versionOf(version: (ExternalTlsSpec["version"] & {})["min"]): TlsVersion | undefined {
  return version === undefined ? undefined : VERSIONS[version];
}

const VERSIONS = { TLSAuto: undefined, TLS10: "1.0", TLS11: "1.1", TLS12: "1.2", TLS13: "1.3" } as const;

interface NamedSource {
  readonly field: "caCert" | "clientCert" | "clientKey";
  readonly source: SecureDataSource;
}

function sourcesOf(tls: ExternalTlsSpec | undefined): readonly NamedSource[] {
  if (tls?.enabled !== true) return [];
  const { caCert, clientCert, clientKey } = tls.verification ?? {};
  return [
    ...(caCert === undefined || !verifies(tls) ? [] : [{ field: "caCert" as const, source: caCert }]),
    ...(clientCert === undefined ? [] : [{ field: "clientCert" as const, source: clientCert }]),
    ...(clientKey === undefined ? [] : [{ field: "clientKey" as const, source: clientKey }]),
  ];
}

function problemOf({ secrets }: MeshSnapshot, tls: ExternalTlsSpec | undefined): string | undefined {
  const problems = sourcesOf(tls).flatMap(({ field, source }) => {
    const meaning = meaningOf(source);
    if (meaning.from === "text") return readable(field, pemFacts(meaning.text), `tls.verification.${field}`);
    const facts = secrets.get(meaning.name);
    const what = `Secret "${meaning.name}"`;
    if (facts === undefined) return [`${what}, which tls.verification.${field} names, is not there`];
    return readable(field, facts, what);
  });
  return problems.length === 0 ? undefined : problems.join("; ");
}

function readable(field: NamedSource["field"], { certificate, key }: PemFacts, what: string): readonly string[] {
  if (field === "clientKey") return key ? [] : [`${what} holds no private key in PEM`];
  return certificate ? [] : [`${what} holds no certificates in PEM`];
}
