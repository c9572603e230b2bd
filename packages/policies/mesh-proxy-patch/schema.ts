import { stringMap } from "@heddle/model/schema.ts";
import { z } from "zod";

const value = z.string().optional().describe("What to add or to merge in: an Envoy message as YAML");
const origin = z
  .string()
  .optional()
  .describe("What it is for: inbound, outbound, or the policy that brought it, such as mesh-trace");

const jsonPatchSchema = z.strictObject({
  op: z.enum(["add", "remove", "replace", "move", "copy"]).describe("What to do"),
  path: z.string().describe("Where, such as /connectTimeout; the parts are fields in lowerCamelCase"),
  value: z.unknown().optional().describe("What to put there, for add and replace"),
  from: z.string().optional().describe("Where it is taken from, for move and copy"),
});
/** One operation of RFC 6902. */
export type JsonPatch = z.infer<typeof jsonPatchSchema>;

const jsonPatches = z
  .array(jsonPatchSchema)
  .optional()
  .describe("What to change, as RFC 6902 has it, in the JSON form of the message; instead of value");

const WHOLE = ["Add", "Remove", "Patch"] as const;
const IN_ORDER = ["AddFirst", "AddLast", "AddBefore", "AddAfter", "Remove", "Patch"] as const;
const whole = z.enum(WHOLE).describe("What to do");
const inOrder = z.enum(IN_ORDER).describe("What to do; filters run in their order");

const filterMatchSchema = z.strictObject({
  origin,
  name: z.string().optional().describe("Name of the filter"),
  listenerName: z.string().optional().describe("Name of its listener"),
  listenerTags: stringMap().optional().describe("Tags or labels of its listener; * for any value"),
});
const filterMatch = filterMatchSchema.optional().describe("Which filters, or where they are; all when absent");
const filterSchema = z.strictObject({ match: filterMatch, operation: inOrder, value, jsonPatches });
/** Changes filters of listeners. */
export type FilterModification = z.infer<typeof filterSchema>;

const clusterMatchSchema = z.strictObject({
  origin,
  name: z.string().optional().describe("Name of the cluster"),
});
const clusterSchema = z.strictObject({
  match: clusterMatchSchema.optional().describe("Which clusters; all when absent"),
  operation: whole,
  value,
  jsonPatches,
});

const listenerMatchSchema = z.strictObject({
  origin,
  name: z.string().optional().describe("Name of the listener"),
  tags: stringMap().optional().describe("Its tags or labels; * for any value"),
});
const listenerSchema = z.strictObject({
  match: listenerMatchSchema.optional().describe("Which listeners; all when absent"),
  operation: whole,
  value,
  jsonPatches,
});

const virtualHostMatchSchema = z.strictObject({
  origin,
  name: z.string().optional().describe("Name of the virtual host"),
  routeConfigurationName: z.string().optional().describe("Name of the routes that it is part of"),
});
const virtualHostSchema = z.strictObject({
  match: virtualHostMatchSchema.optional().describe("Which virtual hosts, or where to add one; all when absent"),
  operation: whole,
  value,
  jsonPatches,
});
/** Changes virtual hosts of routes. */
export type VirtualHostModification = z.infer<typeof virtualHostSchema>;

const modificationSchema = z.strictObject({
  cluster: clusterSchema.optional().describe("Changes clusters"),
  listener: listenerSchema.optional().describe("Changes listeners"),
  networkFilter: filterSchema.optional().describe("Changes filters of listeners"),
  httpFilter: filterSchema.optional().describe("Changes filters for HTTP requests"),
  virtualHost: virtualHostSchema.optional().describe("Changes virtual hosts, which hold the routes"),
});
/** One change of a proxy's resources: one of its fields is set. */
export type Modification = z.infer<typeof modificationSchema>;

export const patchSchema = z.strictObject({
  appendModifications: z
    .array(modificationSchema)
    .optional()
    .describe("Changes, one after the other; those of more specific policies come last"),
});
/** Changes of a proxy's resources. */
export type PatchConf = z.infer<typeof patchSchema>;
