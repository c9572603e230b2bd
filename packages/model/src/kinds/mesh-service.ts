import { z } from "zod";
import { defineKind } from "../kind.ts";
import { port, stringMap } from "../schema.ts";
import type { Violation } from "../violation.ts";

export const meshServiceSchema = z.strictObject({
  selector: z
    .strictObject({
      dataplaneRef: z
        .strictObject({ name: z.string().min(1) })
        .optional()
        .describe("One proxy, by name"),
      dataplaneLabels: z.strictObject({ matchLabels: stringMap() }).optional().describe("Proxies with these labels"),
      dataplaneTags: stringMap().optional().describe("Kuma 2.x: inbounds with these tags"),
    })
    .optional()
    .describe("Which proxies serve this"),
  ports: z
    .array(
      z.strictObject({
        port: port().describe("Port that clients ask for"),
        name: z.string().min(1).optional(),
        targetPort: z
          .union([port(), z.string().min(1)])
          .optional()
          .describe("Port or name of the inbound (port)"),
        appProtocol: z
          .enum(["tcp", "http", "http2", "grpc", "tls", "mysql", "kafka"])
          .optional()
          .describe("What is spoken (tcp)"),
      }),
    )
    .optional(),
  identities: z
    .array(z.strictObject({ type: z.enum(["SpiffeID", "ServiceTag"]), value: z.string().min(1) }))
    .optional()
    .describe("Who the serving proxies are; clients accept no other"),
  state: z.enum(["Available", "Unavailable"]).optional(),
});
export type MeshServiceSpec = z.infer<typeof meshServiceSchema>;
export type MeshServicePort = NonNullable<MeshServiceSpec["ports"]>[number];

/** A service: proxies that are the same to a client, and the ports it can ask for. */
export const meshService = defineKind<MeshServiceSpec>({
  type: "MeshService",
  path: "meshservices",
  shortName: "msvc",
  scope: "Mesh",
  shape: "plugin",
  singular: "Mesh Service",
  plural: "Mesh Services",
  nameIsLabel: true,
  hasStatus: true,
  schema: meshServiceSchema,
  check: checkMeshService,
});

/** The section name of a port: its name, else its number. */
export function servicePortName(servicePort: MeshServicePort): string {
  return servicePort.name ?? String(servicePort.port);
}

function checkMeshService(spec: MeshServiceSpec): Violation[] {
  const { dataplaneRef, dataplaneLabels, dataplaneTags } = spec.selector ?? {};
  const selectors = [dataplaneRef, dataplaneLabels, dataplaneTags].filter((selector) => selector !== undefined);
  const violations: Violation[] = [];
  if (selectors.length > 1) {
    violations.push({
      field: "selector",
      message: "must have one of dataplaneRef, dataplaneLabels, dataplaneTags, not several",
    });
  }
  const seen = new Set<number>();
  spec.ports?.forEach((each, index) => {
    if (seen.has(each.port))
      violations.push({
        field: `ports[${index}].port`,
        message: `must be unique: ${each.port} is there already`,
      });
    seen.add(each.port);
  });
  return violations;
}
