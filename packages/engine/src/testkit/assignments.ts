import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { type Compiled, discovered, endpointOrder } from "../compile.ts";
import { loadAssignment } from "../emit/endpoints.ts";
import { endpointsOf } from "../plan/resolve.ts";
import type { MeshSnapshot } from "../snapshot/snapshot.ts";

/** Who serves each destination of a proxy, as this proxy calls them; by the key of the destination. */
export function assignmentsOf(mesh: MeshSnapshot, compiled: Compiled): ReadonlyMap<string, EncodedResource> {
  return new Map(
    discovered(compiled).map((destination) => [
      destination.key,
      loadAssignment(destination.key, endpointsOf(mesh, destination), endpointOrder(compiled, destination)),
    ]),
  );
}
