import { policyKind } from "@heddle/model/policy-kind.ts";
import { checkRoutes } from "./check.ts";
import { itemSchema } from "./schema.ts";

/** The kind MeshHTTPRoute. */
export const meshHttpRouteKind = policyKind({
  type: "MeshHTTPRoute",
  path: "meshhttproutes",
  shortName: "mhttpr",
  singular: "Mesh HTTP Route",
  plural: "Mesh HTTP Routes",
  targets: ["Mesh", "Dataplane", "MeshSubset", "MeshService", "MeshServiceSubset", "MeshGateway"],
  to: {
    targets: ["MeshService", "MeshExternalService", "MeshMultiZoneService"],
    item: itemSchema,
    check: checkRoutes,
  },
  under: { MeshGateway: { to: ["Mesh"] } },
});
