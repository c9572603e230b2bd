import { canonicalJson } from "@heddle/model/canonical-json.ts";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import type { MeshIdentitySpec, MeshTrustSpec } from "@heddle/model/kinds/mesh-identity.ts";
import type { TelemetryBackendSpec } from "@heddle/model/kinds/mesh-open-telemetry-backend.ts";
import type { MeshExternalServiceSpec } from "@heddle/model/kinds/mesh-external-service.ts";
import type { MeshMultiZoneServiceSpec } from "@heddle/model/kinds/mesh-multi-zone-service.ts";
import type { MeshServiceSpec } from "@heddle/model/kinds/mesh-service.ts";
import type { MeshSpec } from "@heddle/model/kinds/mesh.ts";
import type { SecretSpec } from "@heddle/model/kinds/system.ts";
import { pemFacts } from "@heddle/model/pem.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { byPrecedence, type PolicySpec } from "../match/precedence.ts";
import { secretsNamedBy } from "./external-view.ts";
import { MapDraft } from "./map-draft.ts";
import { IndexDraft } from "./index-draft.ts";
import { legacyEntry, readsMesh } from "./legacy.ts";
import { isMember, requiredFeature, servicesByFeature } from "./membership.ts";
import { selectsService } from "./multi-zone-view.ts";
import { type ServiceView, viewService } from "./service-view.ts";
import { type DataplaneFacts, type EarlierIdentity, type MeshSnapshot, OFFLINE } from "./snapshot.ts";

/** Something that happened to a mesh. */
export type MeshChange =
  | { readonly what: "put"; readonly resource: Resource }
  | { readonly what: "delete"; readonly resource: Resource }
  | { readonly what: "facts"; readonly dataplane: string; readonly facts: DataplaneFacts }
  | { readonly what: "identity"; readonly dataplane: string; readonly earlier: EarlierIdentity | undefined };

/** What a batch of changes may have touched; proxies outside of it need not be looked at. */
export interface Impact {
  /** The mesh itself, an identity, a trust or a collector changed: everybody. */
  readonly everybody: boolean;
  /** Proxies whose own resource changed. */
  readonly dataplanes: ReadonlySet<string>;
  /** Policies in their old and new forms: whom either selects. */
  readonly policies: readonly Resource<PolicySpec>[];
  /** Services that clients must configure anew. */
  readonly services: ReadonlySet<string>;
  /** Services where instances came, went or changed their health, and nothing else. */
  readonly endpoints: ReadonlySet<string>;
}

/** Applies a batch of changes. The new snapshot shares everything that stayed with the old one. */
export function applyChanges(
  mesh: MeshSnapshot,
  changes: readonly MeshChange[],
): { readonly snapshot: MeshSnapshot; readonly impact: Impact } {
  const draft = new Draft(mesh);
  for (const change of changes) draft.apply(change);
  return draft.finish();
}

/** A snapshot in the making: remembers what was touched. */
class Draft {
  #mesh: Resource<MeshSpec>;
  readonly #zone: string;
  readonly #dataplanes;
  readonly #before: MeshSnapshot;
  readonly #services;
  readonly #externalServices;
  readonly #multiZoneServices;
  readonly #secrets;
  readonly #identities;
  readonly #trusts;
  readonly #telemetryBackends;
  readonly #legacy;
  readonly #policies;
  readonly #instances;
  readonly #selectors;
  readonly #views;

  readonly #dirtyServices = new Set<string>();
  readonly #touchedMultiZoneServices = new Set<string>();
  readonly #touchedDataplanes = new Set<string>();
  readonly #touchedPolicies: Resource<PolicySpec>[] = [];
  #everybody = false;

  constructor(mesh: MeshSnapshot) {
    this.#mesh = mesh.mesh;
    this.#zone = mesh.zone;
    this.#dataplanes = new MapDraft(mesh.dataplanes);
    this.#before = mesh;
    this.#services = new MapDraft(mesh.services);
    this.#externalServices = new MapDraft(mesh.externalServices);
    this.#multiZoneServices = new MapDraft(mesh.multiZoneServices);
    this.#secrets = new MapDraft(mesh.secrets);
    this.#identities = new MapDraft(mesh.identities);
    this.#trusts = new MapDraft(mesh.trusts);
    this.#telemetryBackends = new MapDraft(mesh.telemetryBackends);
    this.#legacy = new MapDraft(mesh.legacy);
    this.#policies = new MapDraft(mesh.policies);
    this.#instances = new IndexDraft(mesh.instances);
    this.#selectors = new IndexDraft(mesh.selectors);
    this.#views = new MapDraft(mesh.views);
  }

  apply(change: MeshChange): void {
    if (change.what === "facts") this.#applyFacts(change.dataplane, change.facts);
    else if (change.what === "identity") this.#applyIdentity(change.dataplane, change.earlier);
    else this.#applyResource(change.resource, change.what === "put");
  }

  finish(): { snapshot: MeshSnapshot; impact: Impact } {
    const services = new Set<string>();
    const endpoints = new Set<string>();
    const look = (keys: Iterable<string>): void => {
      const snapshot = this.#snapshot();
      for (const key of keys) {
        const old = this.#views.current.get(key);
        const view = keepDestinations(old, viewService(snapshot, key));
        this.#views.write(key, view);
        if (old?.hash !== view?.hash) services.add(key);
        else if (endpointsText(old) !== endpointsText(view)) endpoints.add(key);
      }
    };
    look(this.#everybody ? this.#allServices() : this.#dirtyServices);
    // They are made of the views of others.
    look(this.#dirtyMultiZoneServices());
    const impact: Impact = {
      everybody: this.#everybody,
      dataplanes: this.#touchedDataplanes,
      policies: this.#touchedPolicies,
      services,
      endpoints,
    };
    return { snapshot: this.#snapshot(), impact };
  }

  #snapshot(): MeshSnapshot {
    return {
      mesh: this.#mesh,
      zone: this.#zone,
      dataplanes: this.#dataplanes.current,
      services: this.#services.current,
      externalServices: this.#externalServices.current,
      multiZoneServices: this.#multiZoneServices.current,
      secrets: this.#secrets.current,
      identities: this.#identities.current,
      trusts: this.#trusts.current,
      telemetryBackends: this.#telemetryBackends.current,
      legacy: this.#legacy.current,
      policies: this.#policies.current,
      instances: this.#instances.current,
      selectors: this.#selectors.current,
      views: this.#views.current,
    };
  }

  // The kind's schema has checked the spec before it was stored, which is what each `as` below stands on.
  #applyResource(resource: Resource, put: boolean): void {
    switch (resource.type) {
      case "Mesh":
        this.#mesh = resource as Resource<MeshSpec>;
        this.#everybody = true;
        this.#translateAgain();
        return;
      case "Dataplane":
        this.#applyDataplane(resource as Resource<DataplaneSpec>, put);
        return;
      case "MeshService":
        this.#applyService(resource as Resource<MeshServiceSpec>, put);
        return;
      case "MeshExternalService":
        this.#applyExternalService(resource as Resource<MeshExternalServiceSpec>, put);
        return;
      case "MeshMultiZoneService":
        this.#applyMultiZoneService(resource as Resource<MeshMultiZoneServiceSpec>, put);
        return;
      case "Secret":
        this.#applySecret(resource as Resource<SecretSpec>, put);
        return;
      case "MeshIdentity":
        this.#identities.write(resource.name, put ? (resource as Resource<MeshIdentitySpec>) : undefined);
        this.#everybody = true;
        return;
      case "MeshTrust":
        this.#trusts.write(resource.name, put ? (resource as Resource<MeshTrustSpec>) : undefined);
        this.#everybody = true;
        return;
      case "MeshOpenTelemetryBackend":
        this.#telemetryBackends.write(resource.name, put ? (resource as Resource<TelemetryBackendSpec>) : undefined);
        this.#everybody = true;
        return;
      default:
        if (!this.#applyLegacy(resource, put)) this.#applyPolicy(resource as Resource<PolicySpec>, put);
    }
  }

  #applyService(resource: Resource<MeshServiceSpec>, put: boolean): void {
    const { name, spec } = resource;
    const key = `MeshService/${name}`;
    const old = this.#services.current.get(name);
    this.#services.write(name, put ? resource : undefined);
    this.#dirtyServices.add(key);
    if (put && old !== undefined && canonicalJson(old.spec.selector) === canonicalJson(spec.selector)) return;
    const [before, after] = [old && requiredFeature(old.spec), put ? requiredFeature(spec) : undefined];
    if (before !== undefined) this.#selectors.remove(before, name);
    if (after !== undefined) this.#selectors.add(after, name);
    for (const proxy of this.#instances.current.get(key) ?? []) this.#instances.remove(key, proxy);
    if (!put) return;
    for (const [proxy, entry] of this.#dataplanes.current) {
      if (isMember(spec, entry.resource)) this.#instances.add(key, proxy);
    }
  }

  #applyExternalService(resource: Resource<MeshExternalServiceSpec>, put: boolean): void {
    this.#externalServices.write(resource.name, put ? resource : undefined);
    this.#dirtyServices.add(`MeshExternalService/${resource.name}`);
  }

  #applyMultiZoneService(resource: Resource<MeshMultiZoneServiceSpec>, put: boolean): void {
    this.#multiZoneServices.write(resource.name, put ? resource : undefined);
    this.#touchedMultiZoneServices.add(resource.name);
  }

  #applySecret({ name, spec: { data = "" } }: Resource<SecretSpec>, put: boolean): void {
    // What it holds stays out of the snapshot, which is shown to many.
    this.#secrets.write(name, put ? pemFacts(Buffer.from(data, "base64").toString("utf8")) : undefined);
    for (const service of this.#externalServices.current.values()) {
      if (secretsNamedBy(service.spec).includes(name)) this.#dirtyServices.add(`MeshExternalService/${service.name}`);
    }
  }

  #dirtyMultiZoneServices(): readonly string[] {
    const changed = [...this.#dirtyServices].flatMap((key) => {
      const name = key.startsWith("MeshService/") ? key.slice("MeshService/".length) : undefined;
      return name === undefined ? [] : [this.#before.services.get(name), this.#services.current.get(name)];
    });
    const known = new Set([...this.#multiZoneServices.current.keys(), ...this.#touchedMultiZoneServices]);
    return [...known]
      .filter((name) => {
        const resource = this.#multiZoneServices.current.get(name);
        if (this.#everybody || this.#touchedMultiZoneServices.has(name) || resource === undefined) return true;
        return changed.some((service) => service !== undefined && selectsService(resource, service));
      })
      .map((name) => `MeshMultiZoneService/${name}`);
  }

  #applyFacts(name: string, facts: DataplaneFacts): void {
    const entry = this.#dataplanes.current.get(name);
    if (entry === undefined) return;
    const changed = { ...entry, facts };
    this.#dataplanes.write(name, changed);
    for (const key of this.#servicesOf(entry.resource)) this.#dirtyServices.add(key);
  }

  #applyIdentity(name: string, earlier: EarlierIdentity | undefined): void {
    const entry = this.#dataplanes.current.get(name);
    if (entry === undefined) return;
    this.#dataplanes.write(name, { resource: entry.resource, facts: entry.facts, ...(earlier && { earlier }) });
    this.#touchedDataplanes.add(name);
    for (const key of this.#servicesOf(entry.resource)) this.#dirtyServices.add(key);
  }

  #applyDataplane(resource: Resource<DataplaneSpec>, put: boolean): void {
    const { name } = resource;
    const old = this.#dataplanes.current.get(name);
    this.#dataplanes.write(name, put ? { ...(old ?? { facts: OFFLINE }), resource } : undefined);
    this.#touchedDataplanes.add(name);
    const [before, after] = [old?.resource, put ? resource : undefined].map((each) => this.#servicesOf(each));
    for (const key of before ?? []) {
      this.#dirtyServices.add(key);
      if (!after?.includes(key)) this.#instances.remove(key, name);
    }
    for (const key of after ?? []) {
      this.#dirtyServices.add(key);
      this.#instances.add(key, name);
    }
  }

  #applyPolicy(resource: Resource<PolicySpec>, put: boolean): void {
    const old = this.#policies.current.get(resource.type) ?? [];
    const rest = old.filter((other) => other.name !== resource.name);
    this.#touchedPolicies.push(...old.filter((other) => other.name === resource.name), ...(put ? [resource] : []));
    this.#policies.write(resource.type, put ? [...rest, resource].toSorted(byPrecedence) : rest);
  }

  /** Says whether it is a resource of Kuma 2.x, which stands for policies of other names. */
  #applyLegacy(resource: Resource, put: boolean): boolean {
    const entry = legacyEntry(resource, this.#mesh);
    if (entry === undefined) return false;
    const key = `${resource.type}/${resource.name}`;
    const names = entry.policies.map(({ type, name }) => `${type}/${name}`);
    const gone = this.#legacy.current.get(key)?.policies.filter(({ type, name }) => !names.includes(`${type}/${name}`));
    this.#legacy.write(key, put ? entry : undefined);
    for (const policy of gone ?? []) this.#applyPolicy(policy, false);
    for (const policy of entry.policies) this.#applyPolicy(policy, put);
    for (const service of entry.services) this.#applyExternalService(service, put);
    return true;
  }

  #translateAgain(): void {
    for (const { resource } of this.#legacy.current.values())
      if (readsMesh(resource)) this.#applyLegacy(resource, true);
  }

  #servicesOf(proxy: Resource<DataplaneSpec> | undefined): readonly string[] {
    return proxy === undefined ? [] : servicesByFeature(this.#services.current, this.#selectors.current, proxy);
  }

  // A mesh-wide change of trust is rare; looking at every service then is simpler than knowing which ones it means.
  #allServices(): Set<string> {
    const named = [...this.#services.current.keys()].map((name) => `MeshService/${name}`);
    const external = [...this.#externalServices.current.keys()].map((name) => `MeshExternalService/${name}`);
    const known = [...this.#views.current.keys()].filter((key) => !key.startsWith("MeshMultiZoneService/"));
    return new Set([...known, ...this.#instances.current.keys(), ...named, ...external]);
  }
}

// Who only compares destinations by reference need not look again when just the instances changed.
function keepDestinations(old: ServiceView | undefined, view: ServiceView | undefined): ServiceView | undefined {
  if (old === undefined || view === undefined || old.hash !== view.hash) return view;
  const ports = [...view.ports].map(([port, { destination, endpoints }]) => {
    return [port, { destination: old.ports.get(port)?.destination ?? destination, endpoints }] as const;
  });
  return { ...view, ports: new Map(ports) };
}

function endpointsText(view: ServiceView | undefined): string {
  return JSON.stringify([...(view?.ports ?? [])].map(([port, { endpoints }]) => [port, endpoints]));
}
