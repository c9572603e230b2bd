import { z } from "zod";
import { templateProblem } from "../hostname-template.ts";
import { defineKind } from "../kind.ts";
import { stringMap } from "../schema.ts";
import type { Violation } from "../violation.ts";

const labelSelector = z
  .strictObject({ matchLabels: stringMap().optional().describe("Labels that they all have (all)") })
  .optional();

export const hostnameGeneratorSchema = z.strictObject({
  selector: z
    .strictObject({
      meshService: labelSelector.describe("MeshServices get the name"),
      meshExternalService: labelSelector.describe("MeshExternalServices get the name"),
      meshMultiZoneService: labelSelector.describe("MeshMultiZoneServices get the name"),
    })
    .describe("Exactly one kind of service"),
  template: z
    .string()
    .min(1)
    .describe('The name: {{ .DisplayName }}, .Name, .Namespace, .Mesh, .Zone, {{ label "key" }}'),
  extension: z
    .strictObject({ type: z.string().min(1), config: z.unknown().optional() })
    .optional()
    .describe("Kept; nothing here reads it"),
});
/** Which services get a host name, and how it is made. */
export type HostnameGeneratorSpec = z.infer<typeof hostnameGeneratorSchema>;

/** Gives services their host names in the mesh. */
export const hostnameGenerator = defineKind<HostnameGeneratorSpec>({
  type: "HostnameGenerator",
  path: "hostnamegenerators",
  shortName: "hg",
  scope: "Global",
  shape: "plugin",
  singular: "Hostname Generator",
  plural: "Hostname Generators",
  schema: hostnameGeneratorSchema,
  check: checkSpec,
});

function checkSpec({ selector, template }: HostnameGeneratorSpec): readonly Violation[] {
  const given = Object.values(selector).filter((each) => each !== undefined);
  const problem = templateProblem(template);
  return [
    ...(given.length === 1
      ? []
      : [
          {
            field: "selector",
            message: "must have exactly one of meshService, meshExternalService, meshMultiZoneService",
          },
        ]),
    ...(problem === undefined ? [] : [{ field: "template", message: `must make a host name: ${problem}` }]),
  ];
}
