import type { InboundPlan } from "@heddle/engine/plan/plan.ts";
import { servicesOf } from "@heddle/engine/snapshot/membership.ts";
import type { DataplaneEntry, MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import { displayName, LABEL } from "@heddle/model/labels.ts";
import type { MeshServiceSpec } from "@heddle/model/kinds/mesh-service.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { TargetRef } from "@heddle/model/target-ref.ts";

/** Whom a policy would point at to mean an inbound, and the name of that in words. */
export interface AccessTarget {
  readonly ref: TargetRef;
  readonly name: string;
}

/** All instances of the inbound's service where one is known, else the proxy alone. */
export function targetOf(mesh: MeshSnapshot, entry: DataplaneEntry, inbound: InboundPlan): AccessTarget {
  const tag = inbound.tags[LABEL.service];
  if (tag !== undefined) return { ref: { kind: "MeshSubset", tags: { [LABEL.service]: tag } }, name: tag };
  const sectionName = inbound.name;
  for (const { name, spec } of meshServicesOf(mesh, entry)) {
    const labels = spec.selector?.dataplaneLabels?.matchLabels;
    if (labels !== undefined) return { ref: { kind: "Dataplane", labels, sectionName }, name };
  }
  const name = displayName(entry.resource);
  return { ref: { kind: "Dataplane", labels: { [LABEL.displayName]: name }, sectionName }, name };
}

/** Server names that the mesh's own clients ask for when they call an inbound; none when none calls it by mutual TLS. */
export function serverNamesOf(mesh: MeshSnapshot, entry: DataplaneEntry, inbound: InboundPlan): readonly string[] {
  const tag = inbound.tags[LABEL.service];
  const byTag = tag === undefined ? undefined : mesh.views.get(`Service/${tag}`)?.ports.get(0);
  const byService = meshServicesOf(mesh, entry).flatMap(({ name, spec }) => {
    const ports = (spec.ports ?? []).filter(({ port, targetPort = port }) =>
      typeof targetPort === "number" ? targetPort === inbound.port : targetPort === inbound.name,
    );
    return ports.map(({ port }) => mesh.views.get(`MeshService/${name}`)?.ports.get(port));
  });
  const names = [byTag, ...byService].flatMap((view) => view?.destination.tls?.sni ?? []);
  return [...new Set(names)].toSorted();
}

function meshServicesOf(mesh: MeshSnapshot, entry: DataplaneEntry): readonly Resource<MeshServiceSpec>[] {
  return servicesOf(mesh.services, entry).flatMap((key) => {
    const [type, name = ""] = key.split("/");
    const service = type === "MeshService" ? mesh.services.get(name) : undefined;
    return service === undefined ? [] : [service];
  });
}
