import type { SidecarOptions } from "./lab.ts";

/** The Dataplane of a sidecar. */
export function dataplane(
  {
    name,
    mesh = "default",
    labels,
    tags,
    protocol = "http",
    servicePort,
    calls = [],
    callPort = 80,
    callsByTag = false,
    address,
    networking,
  }: SidecarOptions,
  inboundPort: number,
  outboundPorts: readonly number[],
): object {
  return {
    type: "Dataplane",
    mesh,
    name,
    ...(labels === undefined ? {} : { labels }),
    networking: {
      address: address ?? "127.0.0.1",
      inbound:
        servicePort === undefined
          ? []
          : [{ port: inboundPort, servicePort, name: "main", protocol, ...(tags === undefined ? {} : { tags }) }],
      outbound: calls.map((service, index) => ({
        port: outboundPorts[index],
        ...(callsByTag ? { tags: { "kuma.io/service": service } } : { backendRef: backendRef(service, callPort) }),
      })),
      ...networking,
    },
  };
}

/** "MeshExternalService/httpbin", or the name of a MeshService. */
function backendRef(called: string, port: number): object {
  const [kind, name] = called.split("/");
  if (name === undefined) return { kind: "MeshService", name: called, port };
  return { kind, name, ...(kind === "MeshExternalService" ? {} : { port }) };
}
