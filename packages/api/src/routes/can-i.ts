import { ACCESS_ACTIONS } from "@heddle/model/kinds/access.ts";
import { nearest, parseWith } from "@heddle/model/schema.ts";
import { z } from "zod";
import { targetOf } from "../access/authorizer.ts";
import type { Question } from "../access/is-allowed.ts";
import { authenticated } from "../auth/users.ts";
import type { Context } from "../context.ts";
import { ApiError, invalid } from "../http/api-error.ts";
import { type Answer, type ApiRequest, ok, type Route } from "../http/route.ts";

const querySchema = z.strictObject({
  action: z.enum(ACCESS_ACTIONS),
  type: z.string().optional(),
  mesh: z.string().optional(),
  name: z.string().optional(),
  user: z.string().min(1).optional(),
  group: z.array(z.string()),
});

/** Whether the caller, or somebody whom an administrator names, may do something; `when` of rules is left open. */
export function canIRoute(context: Context): Route {
  return {
    method: "GET",
    path: "/can-i",
    title: "Could not tell who may do what",
    needs: "read",
    doc: {
      summary: "Whether somebody may do something, and through which role",
      tag: "Control plane",
      query: [
        { name: "action", description: `One of ${ACCESS_ACTIONS.join(", ")}`, required: true },
        { name: "type", description: "Of the resource: MeshTimeout" },
        { name: "mesh", description: "Of the resource" },
        { name: "name", description: "Of the resource; any when left out" },
        { name: "user", description: "Somebody else than the caller; for those who may change AccessRoleBindings" },
        { name: "group", description: "A group of that user; may be repeated" },
      ],
      answer: "{user, allowed, by: {role, binding}} or {user, allowed, reason}",
    },
    handle: (request) => canI(context, request),
  };
}

function canI({ ports, authorizer }: Context, request: ApiRequest): Answer {
  const raw = { ...Object.fromEntries(request.query), group: request.query.getAll("group") };
  const parsed = parseWith(querySchema, raw);
  if (!parsed.ok) throw invalid(parsed.violations, "Invalid query");
  const { action, type, user: name, group } = parsed.value;
  if (type !== undefined && ports.kinds.byType(type) === undefined) {
    const types = ports.kinds.all.map((kind) => kind.type);
    const near = nearest(type, types);
    const hint = near === undefined ? "" : `; did you mean ${near}?`;
    throw invalid([{ field: "type", message: `there is no type "${type}"${hint}` }], "Invalid query");
  }
  const user = name === undefined ? request.user : authenticated({ name, groups: group });
  if (name !== undefined) {
    const resource = { type: "AccessRoleBinding" };
    const refusal = authorizer.refusal({ user: request.user, action: "UPDATE", resource });
    if (refusal !== undefined) throw new ApiError(403, refusal, { title: "Access Denied" });
  }
  const question: Question = { user, action, resource: targetOf(parsed.value) };
  return ok({ user, ...authorizer.decide(question) });
}
