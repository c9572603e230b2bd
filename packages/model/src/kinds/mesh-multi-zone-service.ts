import { z } from "zod";
import { defineKind } from "../kind.ts";
import { port, stringMap } from "../schema.ts";
import type { Violation } from "../violation.ts";

export const meshMultiZoneServiceSchema = z.strictObject({
  selector: z.strictObject({
    meshService: z.strictObject({
      matchLabels: stringMap().describe("All MeshServices with these labels are this service"),
    }),
  }),
  ports: z
    .array(
      z.strictObject({
        port: port().describe("Port number, here and of the MeshServices"),
        name: z.string().min(1).optional().describe("Name of the port (its number)"),
        appProtocol: z
          .enum(["tcp", "http", "http2", "grpc", "tls", "mysql", "kafka"])
          .optional()
          .describe("What is spoken (tcp)"),
      }),
    )
    .describe("Ports that clients ask for"),
});
/** Several MeshServices that are one to their clients. */
export type MeshMultiZoneServiceSpec = z.infer<typeof meshMultiZoneServiceSchema>;

/** A service that several MeshServices serve together, in one zone or in many. */
export const meshMultiZoneService = defineKind<MeshMultiZoneServiceSpec>({
  type: "MeshMultiZoneService",
  path: "meshmultizoneservices",
  shortName: "mzsvc",
  scope: "Mesh",
  shape: "plugin",
  singular: "Mesh Multi Zone Service",
  plural: "Mesh Multi Zone Services",
  nameIsLabel: true,
  hasStatus: true,
  schema: meshMultiZoneServiceSchema,
  check: checkSpec,
});

function checkSpec({ selector, ports }: MeshMultiZoneServiceSpec): readonly Violation[] {
  const isEmpty = Object.keys(selector.meshService.matchLabels).length === 0;
  return [
    ...(isEmpty ? [{ field: "selector.meshService.matchLabels", message: "must not be empty: it says which" }] : []),
    ...(ports.length === 0 ? [{ field: "ports", message: "must not be empty: nothing could be asked for" }] : []),
    ...ports.flatMap((each, index) =>
      ports.findIndex((other) => other.port === each.port) === index
        ? []
        : [{ field: `ports[${index}].port`, message: `must be unique: ${each.port} is there already` }],
    ),
  ];
}
