import { percentage } from "@heddle/model/schema.ts";
import { backendRefSchema } from "@heddle/model/target-ref.ts";
import { z } from "zod";

const METHODS = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"] as const;

const pathSchema = z.strictObject({
  type: z.enum(["Exact", "PathPrefix", "RegularExpression"]),
  value: z.string().min(1).max(1_024),
});
const headerSchema = z.strictObject({
  type: z
    .enum(["Exact", "Present", "RegularExpression", "Absent", "Prefix"])
    .optional()
    .describe("How the header is looked at (Exact)"),
  name: z.string().min(1).max(256),
  value: z.string().min(1).max(4_096).optional().describe("Not with Present and Absent"),
});
const queryParamSchema = z.strictObject({
  type: z.enum(["Exact", "RegularExpression"]).optional().describe("How the parameter is looked at (Exact)"),
  name: z.string().min(1).max(256),
  value: z.string().min(1).max(1_024),
});
const matchSchema = z.strictObject({
  path: pathSchema.optional().describe('Path of the request, without the query (PathPrefix "/")'),
  method: z.enum(METHODS).optional(),
  headers: z.array(headerSchema).max(16).optional().describe("All of these"),
  queryParams: z.array(queryParamSchema).max(16).optional().describe("All of these"),
});
/** One way a request may look: everything in it is required. */
export type RequestMatch = z.infer<typeof matchSchema>;

const headerValue = z.strictObject({ name: z.string().min(1).max(256), value: z.string().max(4_096) });
const modifierSchema = z.strictObject({
  set: z.array(headerValue).min(1).max(16).optional().describe("Replaced, or added"),
  add: z.array(headerValue).min(1).max(16).optional().describe("Added beside what is there"),
  remove: z.array(z.string().min(1).max(256)).min(1).max(16).optional().describe("Names"),
});
/** Changes of headers. */
export type HeaderModifier = z.infer<typeof modifierSchema>;

const rewriteSchema = z.strictObject({
  type: z.enum(["ReplaceFullPath", "ReplacePrefixMatch"]),
  replaceFullPath: z.string().max(1_024).optional(),
  replacePrefixMatch: z.string().max(1_024).optional().describe("In place of the prefix that matched"),
});
/** What becomes of the path. */
export type PathRewriteConf = z.infer<typeof rewriteSchema>;

const filterSchema = z.strictObject({
  type: z.enum(["RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect", "URLRewrite", "RequestMirror"]),
  requestHeaderModifier: modifierSchema.optional(),
  responseHeaderModifier: modifierSchema.optional(),
  requestRedirect: z
    .strictObject({
      scheme: z.enum(["http", "https"]).optional(),
      hostname: z.string().min(1).max(253).optional(),
      path: rewriteSchema.optional(),
      port: z.int().min(1).max(65_535).optional(),
      statusCode: z.literal([301, 302, 303, 307, 308]).optional().describe("(302)"),
    })
    .optional(),
  urlRewrite: z
    .strictObject({
      hostname: z.string().min(1).max(253).optional(),
      hostToBackendHostname: z.boolean().optional().describe("Kuma 2.x, builtin gateways only"),
      path: rewriteSchema.optional(),
    })
    .optional(),
  requestMirror: z
    .strictObject({
      percentage: percentage().optional().describe("Share of the requests that are copied (100)"),
      backendRef: backendRefSchema.describe("Where the copies go; answers are dropped"),
    })
    .optional(),
});
/** Something done to a request on its way. */
export type Filter = z.infer<typeof filterSchema>;

const ruleSchema = z.strictObject({
  matches: z.array(matchSchema).min(1).describe("Any one of these is enough"),
  default: z.strictObject({
    filters: z.array(filterSchema).max(16).optional(),
    backendRefs: z.array(backendRefSchema).optional().describe("Where requests go instead (the destination itself)"),
  }),
});
/** What becomes of some requests. */
export type RouteRule = z.infer<typeof ruleSchema>;

export const itemSchema = z.strictObject({
  hostnames: z.array(z.string().min(1).max(253)).optional().describe("Kuma 2.x, builtin gateways only"),
  rules: z.array(ruleSchema),
});
/** The routes towards one destination. */
export type RouteItem = z.infer<typeof itemSchema>;
