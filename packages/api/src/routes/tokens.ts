import { toMillis } from "@heddle/model/duration.ts";
import { duration, parseWith } from "@heddle/model/schema.ts";
import { z } from "zod";
import { targetOf } from "../access/authorizer.ts";
import type { Question } from "../access/is-allowed.ts";
import type { Subject } from "../access/qualifier.ts";
import type { Context } from "../context.ts";
import { ApiError, invalid } from "../http/api-error.ts";
import type { Answer, ApiRequest, Route } from "../http/route.ts";
import type { TokenAnswer, Tokens, User } from "../ports.ts";
import { requireMesh } from "../resources/find.ts";
import type { Action } from "../settings.ts";

const TEN_YEARS = "87600h";

const optionalDuration = z.union([z.literal(""), duration()]).optional();
const text = z.string().max(253);

const dataplaneSchema = z.strictObject({
  mesh: text.min(1).describe("Mesh the proxy belongs to"),
  name: text.optional().describe("Only a Dataplane of this name; any when unset"),
  tags: z
    .record(z.string(), z.array(z.string()))
    .nullish()
    .describe("Only a Dataplane with one of these values per tag"),
  type: z.enum(["", "dataplane", "ingress", "egress"]).optional().describe("dataplane when unset"),
  workload: text.optional().describe("Only a Dataplane of this workload"),
  validFor: optionalDuration.describe("Life of the token; ten years when unset"),
});

const zoneSchema = z.strictObject({
  zone: text.min(1),
  scope: z.array(z.string()).nullish(),
  validFor: optionalDuration.describe("Life of the token; ten years when unset"),
});

const userSchema = z.strictObject({
  name: z.string().min(1).max(1_024),
  groups: z.array(z.string()).nullish(),
  validFor: duration()
    .refine((life) => toMillis(life) > 0, { error: "must be more than zero" })
    .describe("Life of the token"),
});

/** Issuing of tokens for proxies, zones and users. */
export function tokenRoutes(context: Context): readonly Route[] {
  return [
    tokenRoute(context, {
      name: "dataplane",
      needs: "generateDpToken",
      schema: dataplaneSchema,
      issue: async (tokens, body, user) => {
        // A mistyped mesh would get a signing key of its own, and a token that opens nothing until such a mesh is made.
        await requireMesh(context.ports.store, body.mesh);
        const content: Subject = { what: "dataplaneToken", tags: body.tags ?? {} };
        const resource = { ...targetOf({ mesh: body.mesh, name: body.name || undefined }), content };
        requireAllowed(context, { user, action: "GENERATE_DATAPLANE_TOKEN", resource });
        return await tokens.issueDataplaneToken({
          mesh: body.mesh,
          tags: body.tags ?? {},
          type: body.type ?? "",
          validForMillis: lifeOf(body.validFor),
          ...(body.name ? { name: body.name } : {}),
          ...(body.workload ? { workload: body.workload } : {}),
        });
      },
    }),
    tokenRoute(context, {
      name: "zone",
      needs: "generateZoneToken",
      schema: zoneSchema,
      issue: async (tokens, { zone, scope, validFor }, user) => {
        requireAllowed(context, { user, action: "GENERATE_ZONE_TOKEN", resource: { name: zone } });
        return await tokens.issueZoneToken({ zone, scope: scope ?? [], validForMillis: lifeOf(validFor) });
      },
    }),
    tokenRoute(context, {
      name: "user",
      needs: "generateUserToken",
      schema: userSchema,
      issue: (tokens, { name, groups, validFor }) =>
        tokens.issueUserToken({ name, groups: groups ?? [], validForMillis: toMillis(validFor) }),
    }),
  ];
}

interface TokenKind<Body> {
  readonly name: string;
  readonly needs: Action;
  readonly schema: z.ZodType<Body>;
  readonly issue: (tokens: Tokens, body: Body, user: User) => Promise<TokenAnswer>;
}

function tokenRoute<Body>({ ports }: Context, { name, needs, schema, issue }: TokenKind<Body>): Route {
  return {
    method: "POST",
    path: `/tokens/${name}`,
    title: "Could not issue a token",
    needs,
    doc: {
      summary: `Issue a ${name} token`,
      tag: "Tokens",
      body: z.toJSONSchema(schema, { io: "input" }),
      answer: "The token",
      answerType: "text/plain",
    },
    handle: async (request) => {
      if (ports.tokens === undefined) {
        throw new ApiError(400, "Cannot issue a token: issuing is disabled at this control plane");
      }
      return answerOf(await issue(ports.tokens, bodyOf(schema, request), request.user));
    },
  };
}

function bodyOf<Body>(schema: z.ZodType<Body>, request: ApiRequest): Body {
  const parsed = parseWith(schema, request.body ?? {});
  if (!parsed.ok) throw invalid(parsed.violations, "Invalid token request");
  return parsed.value;
}

function answerOf(answer: TokenAnswer): Answer {
  if (!answer.ok) throw new ApiError(answer.status, answer.detail);
  return { status: 200, contentType: "text/plain", text: answer.token };
}

// The path does not tell what the token is for, so roles can be asked only now. Throws ApiError 403.
function requireAllowed({ authorizer }: Context, question: Question): void {
  const refusal = authorizer.refusal(question);
  if (refusal !== undefined) throw new ApiError(403, refusal, { title: "Access Denied" });
}

function lifeOf(validFor: string | undefined): number {
  return toMillis(validFor || TEN_YEARS);
}
