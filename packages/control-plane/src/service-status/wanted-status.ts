import { selectsService } from "@heddle/engine/snapshot/multi-zone-view.ts";
import { allHostnames, type Condition, type Generator, type NamedKind } from "@heddle/model/hostnames.ts";
import type { MeshMultiZoneServiceSpec } from "@heddle/model/kinds/mesh-multi-zone-service.ts";
import { displayName, LABEL } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { allocateVips } from "./vips.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The status that each service should have: its virtual address, its host names, and whom it stands for. */
export function wantedStatuses(
  generators: readonly Generator[],
  services: readonly Resource[],
  zone: string,
): readonly { readonly service: Resource; readonly status: Fields }[] {
  const hostnames = allHostnames(generators, services, zone);
  const vips = allocateVips(services.map(holderOf));
  return services.map((service, index) => {
    const rest = (service.status ?? {}) as Fields;
    const status = {
      ...rest,
      ...vipFields(service, vips[index] ?? []),
      ...hostnames[index],
      ...(service.type === "MeshMultiZoneService" ? membersOf(service, services) : {}),
    };
    return { service, status };
  });
}

function holderOf({ type, mesh, name, creationTime, status }: Resource) {
  const { vip, vips = [] } = (status ?? {}) as { vip?: { ip?: string }; vips?: readonly { ip: string }[] };
  const known = vip?.ip === undefined ? vips.map(({ ip }) => ip) : [vip.ip];
  // Only services of these kinds are asked for.
  return { type: type as NamedKind, mesh, name, creationTime, vips: known };
}

// As Kuma has it: one kind says it in a way of its own.
function vipFields({ type }: Resource, vips: readonly string[]): Fields {
  const [ip] = vips;
  return type === "MeshExternalService" ? { vip: { ip } } : { vips: vips.map((each) => ({ ip: each })) };
}

function membersOf(service: Resource, services: readonly Resource[]): Fields {
  const resource = service as Resource<MeshMultiZoneServiceSpec>;
  const members = services
    .filter(({ type, mesh }) => type === "MeshService" && mesh === service.mesh)
    .filter((each) => selectsService(resource, each))
    .map((each) => ({
      name: displayName(each),
      namespace: each.labels[LABEL.namespace] ?? "",
      zone: each.labels[LABEL.zone] ?? "",
      mesh: each.mesh,
    }))
    .toSorted((a, b) => (`${a.name}/${a.namespace}/${a.zone}` < `${b.name}/${b.namespace}/${b.zone}` ? -1 : 1));
  return { meshServices: members, conditions: [matched(members.length)] };
}

function matched(count: number): Condition {
  const type = "MeshServicesMatched";
  return count === 0
    ? { type, status: "False", reason: "NoMatchesFound", message: "Selector does not match any MeshService" }
    : { type, status: "True", reason: "MatchesFound", message: `Matched ${count} MeshService(s)` };
}
