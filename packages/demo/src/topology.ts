/** One service of the demo and its sidecar; all ports are on loopback. */
export interface Instance {
  readonly name: string;
  readonly app: "web" | "api" | "data";
  readonly version: string;
  /** Where the application listens. */
  readonly servicePort: number;
  /** Where its sidecar takes requests from other sidecars. */
  readonly inboundPort: number;
  /** Where its sidecar takes requests of the application for the next service. */
  readonly outbound: { readonly port: number; readonly service: string } | undefined;
}

/** How many ports the demo needs. */
export const PORTS_NEEDED = 11;

/** web → api (two versions) → data, over the given free ports. */
export function topology(ports: readonly number[]): readonly Instance[] {
  const next = ports.values();
  const port = (): number => next.next().value ?? 0;
  const instance = (name: string, app: Instance["app"], version: string, service?: string): Instance => ({
    name,
    app,
    version,
    servicePort: port(),
    inboundPort: port(),
    outbound: service === undefined ? undefined : { port: port(), service },
  });
  return [
    instance("web-1", "web", "v1", "api"),
    instance("api-v1", "api", "v1", "data"),
    instance("api-v2", "api", "v2", "data"),
    instance("data-1", "data", "v1"),
  ];
}

/** The Dataplane of an instance, as a user would write it. */
export function dataplaneOf({ name, app, version, servicePort, inboundPort, outbound }: Instance): object {
  return {
    type: "Dataplane",
    mesh: "default",
    name,
    labels: { app, version, "kuma.io/workload": app },
    networking: {
      address: "127.0.0.1",
      inbound: [{ port: inboundPort, servicePort, name: "http", protocol: "http" }],
      ...(outbound === undefined
        ? {}
        : {
            outbound: [{ port: outbound.port, backendRef: { kind: "MeshService", name: outbound.service, port: 80 } }],
          }),
    },
  };
}
