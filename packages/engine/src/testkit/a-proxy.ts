import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import type { MeshSpec } from "@heddle/model/kinds/mesh.ts";
import type { ProxyFacts } from "../proxy-facts.ts";
import { resource } from "./resource.ts";

/** A proxy with one port, for tests that call a policy's hook and not the pipeline. */
export const A_PROXY: ProxyFacts = {
  resource: resource<DataplaneSpec>("Dataplane", "backend-1", {
    networking: { address: "127.0.0.1", inbound: [{ port: 80, tags: { "kuma.io/service": "backend" } }] },
  }),
  mesh: resource<MeshSpec>("Mesh", "default", {}),
  zone: "zone-1",
  tls: undefined,
  node: {},
  telemetryBackends: new Map(),
};
