import { writtenPolicy } from "@heddle/engine/snapshot/legacy.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import type { Resource, ResourceKey } from "@heddle/model/resource.ts";

/** A resource of a mesh as the mesh knows it. */
export function storedIn(mesh: MeshSnapshot, { type, name }: ResourceKey): Resource | undefined {
  switch (type) {
    case "Mesh":
      return mesh.mesh;
    case "Dataplane":
      return mesh.dataplanes.get(name)?.resource;
    case "MeshService":
      return mesh.services.get(name);
    case "MeshIdentity":
      return mesh.identities.get(name);
    case "MeshTrust":
      return mesh.trusts.get(name);
    default:
      return writtenPolicy(mesh, { type, name });
  }
}
