import { z } from "zod";
import { stringMap } from "./schema.ts";
import type { Violation } from "./violation.ts";

/** Everything a policy may point at, in Kuma 2.x and 3.x. */
export const TARGET_KINDS = [
  "Mesh",
  "MeshSubset",
  "MeshGateway",
  "MeshService",
  "MeshServiceSubset",
  "MeshExternalService",
  "MeshMultiZoneService",
  "MeshHTTPRoute",
  "Dataplane",
] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

/** A reference as users write it. Which fields fit which kind is checked by `checkTargetRef`. */
export const targetRefSchema = z.strictObject({
  kind: z.enum(TARGET_KINDS).describe("What is selected"),
  name: z.string().min(1).optional().describe("Selects one by name"),
  namespace: z.string().min(1).optional().describe("Namespace of the named resource"),
  labels: stringMap().optional().describe("Selects all with these labels"),
  sectionName: z.string().min(1).optional().describe("Narrows to one port or inbound, by name or number"),
  tags: stringMap().optional().describe("Kuma 2.x: selects by inbound tags"),
  proxyTypes: z
    .array(z.enum(["Sidecar", "Gateway"]))
    .min(1)
    .optional()
    .describe("Kuma 2.x: only proxies of these types"),
});
export type TargetRef = z.infer<typeof targetRefSchema>;

const FIELDS: Readonly<Record<TargetKind, readonly (keyof TargetRef)[]>> = {
  Mesh: ["proxyTypes"],
  MeshSubset: ["tags", "proxyTypes"],
  MeshGateway: ["name", "tags"],
  MeshService: ["name", "namespace", "labels", "sectionName"],
  MeshServiceSubset: ["name", "tags"],
  MeshExternalService: ["name", "namespace", "labels"],
  MeshMultiZoneService: ["name", "namespace", "labels", "sectionName"],
  MeshHTTPRoute: ["name", "namespace", "labels"],
  Dataplane: ["name", "namespace", "labels", "sectionName"],
};
const MUST_SELECT: ReadonlySet<TargetKind> = new Set([
  "MeshService",
  "MeshServiceSubset",
  "MeshExternalService",
  "MeshMultiZoneService",
  "MeshHTTPRoute",
  "MeshGateway",
]);

/** What is wrong with a reference at `field`, where only some kinds make sense. */
export function checkTargetRef(ref: TargetRef, allowed: readonly TargetKind[], field: string): Violation[] {
  if (!allowed.includes(ref.kind)) {
    return [
      {
        field: `${field}.kind`,
        message: `must be one of ${allowed.join(", ")} here, not ${ref.kind}`,
      },
    ];
  }
  const fields = FIELDS[ref.kind];
  const extra = (Object.keys(ref) as (keyof TargetRef)[])
    .filter((key) => key !== "kind" && ref[key] !== undefined && !fields.includes(key))
    .map((key) => ({
      field: `${field}.${key}`,
      message: `must not be set with kind ${ref.kind}; it takes ${fields.join(", ")}`,
    }));
  if (MUST_SELECT.has(ref.kind) && ref.name === undefined && ref.labels === undefined) {
    extra.push({
      field,
      message: `must say which ${ref.kind}: set name${fields.includes("labels") ? " or labels" : ""}`,
    });
  }
  if (ref.name !== undefined && ref.labels !== undefined) {
    extra.push({ field, message: "must have name or labels, not both" });
  }
  return extra;
}

/** What requests can go to. */
export const BACKEND_KINDS = [
  "MeshService",
  "MeshServiceSubset",
  "MeshExternalService",
  "MeshMultiZoneService",
] as const satisfies readonly TargetKind[];

/** Where requests go: a reference with a weight and a port. */
export const backendRefSchema = targetRefSchema.omit({ proxyTypes: true }).extend({
  kind: z.enum(BACKEND_KINDS).describe("What requests go to"),
  weight: z
    .int()
    .min(0)
    .max(1_000_000)
    .optional()
    .describe("Share of the requests, relative to the other backends (1)"),
  port: z.int().min(1).max(65_535).optional().describe("Port of the backend"),
});
export type BackendRef = z.infer<typeof backendRefSchema>;

/** Which callers a rule of `rules[]` means: fields of one match are all required, several matches are alternatives. */
export const matchSchema = z.strictObject({
  spiffeID: z
    .strictObject({ type: z.enum(["Exact", "Prefix"]), value: z.string().min(1).max(2_048) })
    .optional()
    .describe("SPIFFE ID of the caller"),
  sni: z
    .strictObject({ type: z.enum(["Exact"]), value: z.string().min(1).max(255) })
    .optional()
    .describe("Server name the caller asked for"),
});
export type Match = z.infer<typeof matchSchema>;

/** What is wrong with a match at `field`. */
export function checkMatch({ spiffeID, sni }: Match, field: string): Violation[] {
  if (spiffeID === undefined && sni === undefined) return [{ field, message: "must have spiffeID or sni" }];
  if (spiffeID === undefined || spiffeID.value.startsWith("spiffe://")) return [];
  return [{ field: `${field}.spiffeID.value`, message: 'must start with "spiffe://", as every SPIFFE ID does' }];
}
