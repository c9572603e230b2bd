/** Paths of Kuma's resource types, and the types: for telling its users what is not served here. */
const TYPES: Readonly<Record<string, string>> = {
  meshgatewayroutes: "MeshGatewayRoute",
  meshgateways: "MeshGateway",
  meshpassthroughs: "MeshPassthrough",
  meshzoneaddresses: "MeshZoneAddress",
  "virtual-outbounds": "VirtualOutbound",
  workloads: "Workload",
  "zone-ingresses": "ZoneIngress",
  zoneegresses: "ZoneEgress",
  zoneingresses: "ZoneIngress",
};

/** The type of Kuma that a path is about: "/meshes/default/meshretries/slow" → "MeshRetry". */
export function kumaTypeOf(path: string): string | undefined {
  const [first = "", , third = ""] = path.split("/").filter((segment) => segment !== "");
  const segment = first === "meshes" ? third : first;
  return Object.hasOwn(TYPES, segment) ? TYPES[segment] : undefined;
}
