import { policyKind } from "@heddle/model/policy-kind.ts";
import { port } from "@heddle/model/schema.ts";
import { z } from "zod";
import { checkConf, warnConf } from "./check.ts";

export const MATCH_PROTOCOLS = ["tcp", "tls", "grpc", "http", "http2", "mysql"] as const;

const matchSchema = z.strictObject({
  type: z.enum(["Domain", "IP", "CIDR"]).describe("What value is"),
  value: z
    .string()
    .min(1)
    .max(253)
    .describe("A domain such as api.example.com or *.example.com, an IP, or a range of them such as 10.0.0.0/8"),
  port: port().optional().describe("The port that is called (all)"),
  protocol: z
    .enum(MATCH_PROTOCOLS)
    .optional()
    .describe("What is spoken: tls finds domains by server name; http, http2 and grpc by Host header (tcp)"),
});
/** Something outside of the mesh that may be called. */
export type MatchConf = z.infer<typeof matchSchema>;

const passthroughSchema = z.strictObject({
  passthroughMode: z
    .enum(["All", "Matched", "None"])
    .optional()
    .describe("What may be called outside of the mesh: everything, what appendMatch lists, or nothing (Matched)"),
  appendMatch: z
    .array(matchSchema)
    .max(1_000)
    .optional()
    .describe("With Matched: what may be called; lists of several policies are joined"),
});
/** What may be called outside of the mesh. */
export type PassthroughConf = z.infer<typeof passthroughSchema>;

/** The kind MeshPassthrough. */
export const meshPassthroughKind = policyKind({
  type: "MeshPassthrough",
  path: "meshpassthroughs",
  shortName: "mp",
  singular: "Mesh Passthrough",
  plural: "Mesh Passthroughs",
  targets: ["Mesh", "MeshSubset", "Dataplane"],
  default: { conf: passthroughSchema, check: checkConf, warn: warnConf },
});
