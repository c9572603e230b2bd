import { parseWith } from "@heddle/model/schema.ts";
import type { KindRegistry } from "@heddle/model/kind.ts";
import type { ResourceKey } from "@heddle/model/resource.ts";
import { z } from "zod";
import { targetOf } from "../access/authorizer.ts";
import type { Context } from "../context.ts";
import { ApiError, invalid } from "../http/api-error.ts";
import { type Answer, type ApiRequest, ok, type Route } from "../http/route.ts";
import { judgeFor } from "../resources/judge.ts";
import { planWrites } from "../resources/plan.ts";

const planSchema = z.strictObject({
  documents: z.array(z.unknown()).max(1_000).optional().describe("Resources as for PUT, in the order of writing"),
  deletes: z
    .array(z.strictObject({ type: z.string(), mesh: z.string().optional(), name: z.string() }))
    .max(1_000)
    .optional()
    .describe("Resources to remove, after the documents"),
  diff: z.boolean().optional().describe("Also JSON Patches of the Envoy resources"),
});

/** What writes would do, to the documents and to the proxies, without doing it. */
export function planRoute(context: Context): Route {
  return {
    method: "POST",
    path: "/plan",
    title: "Could not plan",
    // A plan costs what a write costs, and shows what only a writer has to know.
    needs: "write",
    doc: {
      summary: "What writes would change, at which proxies; writes nothing",
      tag: "Control plane",
      body: z.toJSONSchema(planSchema, { io: "input" }),
      answer: "{documents: [{type, mesh, name, outcome, violations, warnings}], proxies: [{mesh, name, changes}]}",
    },
    handle: (request) => plan(context, request),
  };
}

async function plan({ ports, judge, authorizer }: Context, request: ApiRequest): Promise<Answer> {
  const parsed = parseWith(planSchema, request.body ?? {});
  if (!parsed.ok) throw invalid(parsed.violations, "Invalid plan");
  const { documents = [], deletes = [], diff = false } = parsed.value;
  const keys = deletes.map(({ type, name, mesh = "default" }) => ({
    type,
    name,
    mesh: ports.kinds.byType(type)?.scope === "Global" ? "" : mesh,
  }));
  for (const secret of [...documents, ...keys].flatMap((each) => secretIn(ports.kinds, each))) {
    const refusal = authorizer.refusal({ user: request.user, action: "UPDATE", resource: targetOf(secret) });
    if (refusal !== undefined) throw new ApiError(403, refusal, { title: "Access Denied" });
  }
  const planned = await planWrites(
    judgeFor(judge, authorizer, request.user),
    ports.store,
    { documents, deletes: keys },
    new Date(),
  );
  const changes = { puts: planned.puts, deletes: planned.deletes, diff };
  const nothing = changes.puts.length + changes.deletes.length === 0;
  return ok({ documents: planned.documents, proxies: nothing ? [] : await ports.inspect.plan(changes) });
}

/** The key of a document of a kind whose reading is restricted: a plan tells what of it would change. */
function secretIn(kinds: KindRegistry, document: unknown): readonly ResourceKey[] {
  const { type, mesh, name } = (document ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof type !== "string" || kinds.byType(type)?.secret !== true) return [];
  return [{ type, mesh: typeof mesh === "string" ? mesh : "", name: typeof name === "string" ? name : "" }];
}
