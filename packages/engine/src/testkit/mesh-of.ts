import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import type { MeshSpec } from "@heddle/model/kinds/mesh.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { applyChanges, type MeshChange } from "../snapshot/apply-changes.ts";
import { type DataplaneFacts, emptySnapshot, type MeshSnapshot } from "../snapshot/snapshot.ts";

/** A proxy that is connected and takes requests. */
export const ONLINE: DataplaneFacts = {
  online: true,
  warm: true,
  tlsReady: true,
  leaving: false,
  unhealthy: [],
  // Not a pipe, because Envoy opens it even when it only looks whether a configuration is right.
  node: {
    accessLogPipe: "/dev/null",
    systemCaPath: "/etc/ssl/certs/ca-certificates.crt",
    admin: { kind: "socket", path: "/tmp/heddle-dp/kuma-envoy-admin.sock" },
    workDir: "/tmp/heddle-dp",
  },
};

/** The snapshot of a mesh that consists of these resources, among them one Mesh; every proxy is online. */
export function meshOf(resources: readonly Resource[], zone = "zone-1"): MeshSnapshot {
  const mesh = resources.find(isMesh);
  if (mesh === undefined) throw new Error("Cannot build a mesh: no document is of type Mesh; add one");
  return applyChanges(emptySnapshot(mesh, zone), changesFor(resources)).snapshot;
}

/** The changes that bring these resources into being, and their proxies online. */
export function changesFor(resources: readonly Resource[]): readonly MeshChange[] {
  const put = resources.map((resource): MeshChange => ({ what: "put", resource }));
  const online = resources.filter(isDataplane).map(({ name }): MeshChange => ({
    what: "facts",
    dataplane: name,
    facts: ONLINE,
  }));
  return [...put, ...online];
}

/** Narrows to a Dataplane, whose spec its schema has checked. */
export function isDataplane(resource: Resource): resource is Resource<DataplaneSpec> {
  return resource.type === "Dataplane";
}

function isMesh(resource: Resource): resource is Resource<MeshSpec> {
  return resource.type === "Mesh";
}
