import type { Meta, PolicyRules } from "@heddle/api/reports.ts";
import { outboundConf, pointsAt, type RouteTarget, type Selected } from "@heddle/engine/match/match.ts";
import type { Destination } from "@heddle/engine/plan/plan.ts";
import { asWritten } from "@heddle/engine/snapshot/legacy.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import { displayName, LABEL } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { TargetRef } from "@heddle/model/target-ref.ts";
import type { Metas } from "./meta.ts";
import { confAsWritten } from "./route-rules.ts";

type Reported = PolicyRules["toResourceRules"][number];

/** Something that `to` of a policy points at. */
interface Target {
  readonly meta: Meta;
  readonly section?: string;
  readonly destination: Destination;
  readonly route?: RouteTarget;
}

/** What a kind of policy says about requests that leave: about the mesh, and about each resource that it points at. */
export function toResourceRules(mesh: MeshSnapshot, selected: Selected, metas: Metas): readonly Reported[] {
  const targets = selected.policies.flatMap(({ resource: { spec } }) => {
    // Kuma 2.x: a policy whose own target is a route says what it says about that route only.
    const refs =
      spec.targetRef?.kind === "MeshHTTPRoute" ? [spec.targetRef] : (spec.to ?? []).map((item) => item.targetRef);
    return refs.flatMap((ref) => targetsOf(mesh, ref, metas));
  });
  const unique = new Map(targets.map((target) => [`${keyOf(target.meta)} ${target.section ?? ""}`, target]));
  return [...unique.values()].flatMap((target) => {
    const conf = outboundConf(selected, target.destination, target.route);
    if (conf === undefined) return [];
    return {
      resourceMeta: target.meta,
      ...(target.section === undefined ? {} : { resourceSectionName: target.section }),
      conf: [confAsWritten(selected.policy, conf)],
      origin: conf.origins.map((origin) => metas.origin(origin)),
    };
  });
}

/** A destination that no reference names: only what is said about the whole mesh applies to it. */
export const ELSEWHERE: Destination = {
  key: "",
  kind: "Service",
  mesh: "",
  name: "",
  kri: "",
  labels: {},
  section: "",
  port: 0,
  tags: {},
  protocol: "tcp",
  tls: undefined,
};

/** All destinations of a mesh. */
export function destinationsOf(mesh: MeshSnapshot): readonly Destination[] {
  return [...mesh.views.values()].flatMap(({ ports }) => [...ports.values()].map(({ destination }) => destination));
}

/** Routes that a reference names, as resources and as what policies can point at. */
export function routesOf(
  mesh: MeshSnapshot,
  ref: TargetRef,
): readonly { readonly resource: Resource; readonly route: RouteTarget }[] {
  if (ref.kind !== "MeshHTTPRoute") return [];
  return (mesh.policies.get(ref.kind) ?? []).flatMap((resource) => {
    const route = { name: resource.name, labels: { [LABEL.displayName]: displayName(resource) } };
    return pointsAt(ref, ELSEWHERE, route) ? [{ resource, route }] : [];
  });
}

function targetsOf(mesh: MeshSnapshot, ref: TargetRef | undefined, metas: Metas): readonly Target[] {
  if (ref === undefined || ref.kind === "Mesh") return [{ meta: metas.of(mesh.mesh), destination: ELSEWHERE }];
  if (ref.kind === "MeshHTTPRoute") {
    return routesOf(mesh, ref).map(({ resource, route }) => ({
      meta: metas.of(resource),
      destination: ELSEWHERE,
      route,
    }));
  }
  return destinationsOf(mesh).flatMap((destination): Target[] => {
    const service = serviceOf(mesh, destination);
    if (service === undefined) return [];
    if (!pointsAt(ref, destination, undefined)) return [];
    const meta = metas.of(service);
    if (ref.sectionName !== undefined) return [{ meta, section: destination.section, destination }];
    // Without its section, so that only what is said about the whole service applies.
    return [{ meta, destination: { ...destination, section: "", port: 0 } }];
  });
}

/** The resource that a destination is about; none for a service tag. What stands for one of Kuma 2.x is shown as written. */
function serviceOf(mesh: MeshSnapshot, { kind, name }: Destination): Resource | undefined {
  switch (kind) {
    case "MeshService":
      return mesh.services.get(name);
    case "MeshMultiZoneService":
      return mesh.multiZoneServices.get(name);
    case "MeshExternalService": {
      const service = mesh.externalServices.get(name);
      return service && asWritten(service);
    }
    case "Service":
      return undefined;
  }
}

function keyOf({ type, name }: Meta): string {
  return `${type}/${name}`;
}
