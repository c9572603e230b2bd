import { duration } from "@heddle/model/schema.ts";
import { secureDataSourceSchema } from "@heddle/model/secure-data-source.ts";
import { z } from "zod";

const appendedSchema = z.strictObject({
  rego: secureDataSourceSchema.describe("A module in Rego, version 1 of the language"),
  ignoreDecision: z
    .boolean()
    .optional()
    .describe("Its allow and deny have no word in the decision: it is there for other modules to use (false)"),
});
/** A module, and whether it decides. */
export type AppendedPolicy = z.infer<typeof appendedSchema>;

const authSchema = z.strictObject({
  statusOnError: z
    .int()
    .min(400)
    .max(599)
    .optional()
    .describe("Status of the answer to a request about which nothing could be decided (403)"),
  onAgentFailure: z
    .enum(["Deny", "Allow"])
    .optional()
    .describe("What becomes of requests about which nothing can be decided (Deny)"),
  requestBody: z
    .strictObject({
      maxSize: z
        .int()
        .min(1)
        .max(10_485_760)
        .describe("How many bytes of it; of a longer one the rest is cut off, and policies see truncated_body"),
      sendRawBody: z.boolean().optional().describe("The body comes as bytes, whatever they are (false)"),
    })
    .optional()
    .describe("Policies see the body of requests, as parsed_body where it is JSON"),
  timeout: duration().optional().describe("How long a decision may take; the lack of one is a failure (1s)"),
});
/** How the agent is asked. */
export type AuthConfig = z.infer<typeof authSchema>;

export const confSchema = z.strictObject({
  agentConfig: secureDataSourceSchema
    .optional()
    .describe("OPA's own configuration in YAML: decision_logs.console and plugins.envoy_ext_authz_grpc.path are read"),
  appendPolicies: z.array(appendedSchema).max(64).optional().describe("Modules; those of all policies are joined"),
  authConfig: authSchema.optional().describe("How the agent is asked"),
});
/** What decides about requests. An absent field leaves what a weaker policy says. */
export type OpaConf = z.infer<typeof confSchema>;
