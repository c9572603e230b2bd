import { canonicalJson } from "@heddle/model/canonical-json.ts";
import { type DataplaneSpec, type Inbound, inboundProtocol } from "@heddle/model/kinds/dataplane.ts";
import { type MeshServicePort, type MeshServiceSpec } from "@heddle/model/kinds/mesh-service.ts";
import { LABEL } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";

/** Marks MeshServices that follow from Dataplanes; one that a user wrote is never touched. */
export const GENERATED = "meshservice-generator";
const GRACE_STARTED = "kuma.io/deletion-grace-period-started-at";
const NAME = /^[a-z]([-0-9a-z]{0,61}[0-9a-z])?$/;

/** What to do so that every service of the proxies has its MeshService. */
export type Action =
  | {
      readonly do: "create" | "update";
      readonly name: string;
      readonly spec: MeshServiceSpec;
      readonly labels: Readonly<Record<string, string>>;
    }
  | { readonly do: "delete"; readonly name: string };

/**
 * Compares the services that Dataplanes declare, by kuma.io/workload label or Kuma 2.x kuma.io/service tag, with the
 * MeshServices there are. A service that lost its last proxy stays for the grace, since a proxy may come back.
 */
export function reconcileMeshServices(
  dataplanes: readonly Resource<DataplaneSpec>[],
  services: ReadonlyMap<string, Resource<MeshServiceSpec>>,
  { now, graceMillis }: { readonly now: Date; readonly graceMillis: number },
): readonly Action[] {
  const wanted = declaredServices(dataplanes);
  const written = [...wanted].flatMap(([name, spec]) => write(name, spec, services.get(name)));
  const orphans = [...services.values()].filter((service) => isGenerated(service) && !wanted.has(service.name));
  return [...written, ...orphans.flatMap((service) => retire(service, now, graceMillis))];
}

/** Milliseconds until the next service's grace ends; undefined when none is in its grace. */
export function nextRetirement(
  services: Iterable<Resource<MeshServiceSpec>>,
  { now, graceMillis }: { readonly now: Date; readonly graceMillis: number },
): number | undefined {
  const starts = [...services].flatMap((service) => (isGenerated(service) ? (graceStart(service) ?? []) : []));
  return starts.length === 0 ? undefined : Math.max(0, Math.min(...starts) + graceMillis - now.getTime());
}

function write(name: string, spec: MeshServiceSpec, stored: Resource<MeshServiceSpec> | undefined): Action[] {
  const labels = { [LABEL.managedBy]: GENERATED };
  if (stored === undefined) return [{ do: "create", name, spec, labels }];
  if (!isGenerated(stored)) return [];
  const same = canonicalJson(stored.spec) === canonicalJson(spec) && stored.labels[GRACE_STARTED] === undefined;
  return same ? [] : [{ do: "update", name, spec, labels }];
}

function retire(service: Resource<MeshServiceSpec>, now: Date, graceMillis: number): Action[] {
  const start = graceStart(service);
  if (start !== undefined) return now.getTime() - start >= graceMillis ? [{ do: "delete", name: service.name }] : [];
  const labels = { [LABEL.managedBy]: GENERATED, [GRACE_STARTED]: String(now.getTime()) };
  return [{ do: "update", name: service.name, spec: service.spec, labels }];
}

function declaredServices(dataplanes: readonly Resource<DataplaneSpec>[]): ReadonlyMap<string, MeshServiceSpec> {
  const services = new Map<string, { selector: MeshServiceSpec["selector"]; ports: Map<number, MeshServicePort> }>();
  const declare = (name: string, selector: MeshServiceSpec["selector"], inbounds: readonly Inbound[]): void => {
    if (!NAME.test(name) || inbounds.length === 0) return;
    const service = services.get(name) ?? { selector, ports: new Map<number, MeshServicePort>() };
    services.set(name, service);
    for (const inbound of inbounds)
      if (!service.ports.has(inbound.port)) service.ports.set(inbound.port, portOf(inbound));
  };
  // By name, so that the first proxy to describe a port is the same one every time.
  for (const { spec, labels } of dataplanes.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const inbounds = spec.networking.inbound ?? [];
    for (const inbound of inbounds) {
      const service = inbound.tags?.[LABEL.service];
      if (service !== undefined) declare(service, { dataplaneTags: { [LABEL.service]: service } }, [inbound]);
    }
    const workload = labels[LABEL.workload];
    const untagged = inbounds.filter((inbound) => inbound.tags?.[LABEL.service] === undefined);
    if (workload !== undefined)
      declare(workload, { dataplaneLabels: { matchLabels: { [LABEL.workload]: workload } } }, untagged);
  }
  return new Map([...services].map(([name, { selector, ports }]) => [name, { selector, ports: sorted(ports) }]));
}

function portOf(inbound: Inbound): MeshServicePort {
  const name = inbound.name === undefined ? {} : { name: inbound.name };
  return { port: inbound.port, ...name, targetPort: inbound.port, appProtocol: inboundProtocol(inbound) };
}

function sorted(ports: ReadonlyMap<number, MeshServicePort>): MeshServicePort[] {
  return [...ports.values()].toSorted((a, b) => a.port - b.port);
}

function isGenerated(service: Resource<MeshServiceSpec>): boolean {
  return service.labels[LABEL.managedBy] === GENERATED;
}

function graceStart(service: Resource<MeshServiceSpec>): number | undefined {
  const text = service.labels[GRACE_STARTED];
  return text === undefined ? undefined : Number(text);
}
