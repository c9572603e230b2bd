import { checkBackendRef } from "@heddle/model/backend-ref.ts";
import { policyKind } from "@heddle/model/policy-kind.ts";
import { itemSchema } from "./schema.ts";

/** The kind MeshTCPRoute. */
export const meshTcpRouteKind = policyKind({
  type: "MeshTCPRoute",
  path: "meshtcproutes",
  shortName: "mtcpr",
  singular: "Mesh TCP Route",
  plural: "Mesh TCP Routes",
  targets: ["Mesh", "Dataplane", "MeshSubset", "MeshService", "MeshServiceSubset", "MeshGateway"],
  to: {
    targets: ["MeshService", "MeshExternalService", "MeshMultiZoneService"],
    item: itemSchema,
    check: ({ rules }, field) =>
      rules.flatMap(({ default: { backendRefs = [] } }, rule) =>
        backendRefs.flatMap((ref, index) =>
          checkBackendRef(ref, `${field}.rules[${rule}].default.backendRefs[${index}]`),
        ),
      ),
  },
  under: { MeshGateway: { to: ["Mesh"] } },
});
