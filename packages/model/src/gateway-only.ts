import type { TargetRef } from "./target-ref.ts";
import type { Violation } from "./violation.ts";

/** What is wrong with a `to` of a policy for requests that come in: only builtin gateways of Kuma 2.x take it. */
export function checkOutgoing(field: string, { kind, proxyTypes = ["Gateway"] }: TargetRef): Violation[] {
  const canBeGateway = kind === "MeshGateway" || kind === "MeshHTTPRoute" || kind === "Mesh" || kind === "MeshSubset";
  if (canBeGateway && proxyTypes.includes("Gateway")) return [];
  return [
    {
      field,
      message:
        "must not be set for sidecars: it is about what gateways send; write rules for the service that is called",
    },
  ];
}
