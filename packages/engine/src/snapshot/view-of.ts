import { contentHash } from "@heddle/model/canonical-json.ts";
import { kriOf } from "@heddle/model/kri.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { PortView, ServiceView } from "./service-view.ts";

/** A view with its hash; `identity` is what else tells services apart, such as labels. */
export function viewOf(key: string, ports: readonly (readonly [number, PortView])[], identity?: unknown): ServiceView {
  return {
    key,
    ports: new Map(ports),
    hash: contentHash([identity, ports.map(([, port]) => port.destination)]),
  };
}

/** Kuma 3.x: sni.<short>.<mesh>[.<zone>[.<namespace>]].<name>.<section> */
export function sniOf(shortName: string, resource: Resource, section: string): string {
  const kri = kriOf(shortName, resource, section);
  return ["sni", kri.shortName, kri.mesh, kri.zone, kri.namespace, kri.name, kri.section]
    .filter((part) => part !== "")
    .join(".");
}
