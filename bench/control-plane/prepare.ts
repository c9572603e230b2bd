import type { Server } from "./server.ts";
import type { Instance, Topology } from "./topology.ts";

/** What is there before the proxies: mutual TLS, a permission, services, and instances that are not connected. */
export async function writeAll(server: Server, { services }: Topology, others: readonly Instance[]): Promise<number> {
  await server.api.put("/meshes/default", meshWith("ca-1"));
  const allow = [{ spiffeID: { type: "Prefix", value: "spiffe://default/" } }];
  await server.api.put("/meshes/default/meshtrafficpermissions/everybody", {
    type: "MeshTrafficPermission",
    mesh: "default",
    name: "everybody",
    spec: { rules: [{ default: { allow } }] },
  });
  const documents = [
    ...services.map(({ name, document }) => ({ path: `meshservices/${name}`, document })),
    ...others.map((instance) => ({ path: `dataplanes/${instance.name}`, document: instance.document("Ready") })),
  ];
  const started = performance.now();
  await server.api.all(documents, ({ path, document }) => server.api.put(`/meshes/default/${path}`, document));
  return documents.length / ((performance.now() - started) / 1_000);
}

/** A dataplane token for each instance, in their order. */
export async function tokensFor(server: Server, instances: readonly Instance[]): Promise<readonly string[]> {
  const tokens: string[] = [];
  await server.api.all(instances, async ({ name }, index) => {
    tokens[index] = await server.api.post("/tokens/dataplane", { mesh: "default", name, validFor: "1h" });
  });
  return tokens;
}

/** The mesh with one of two builtin authorities. */
export function meshWith(enabledBackend: string): object {
  const backends = ["ca-1", "ca-2"].map((name) => ({ name, type: "builtin", mode: "STRICT" }));
  return { type: "Mesh", name: "default", mtls: { enabledBackend, backends } };
}
