import type { Kind } from "@heddle/model/kind.ts";
import type { Context } from "../context.ts";
import { readOnlyReason } from "../guards/read-only.ts";
import { ApiError } from "../http/api-error.ts";
import { type Answer, type ApiRequest, param, type Route } from "../http/route.ts";
import { resourceSchemaRef, WRITTEN_SCHEMA } from "../openapi/references.ts";
import { requireMesh } from "../resources/find.ts";
import { judgeFor } from "../resources/judge.ts";
import { preconditionsOf } from "../resources/preconditions.ts";
import { etagOf } from "../resources/present.ts";
import { putResource, refuseReadOnly, type Written } from "../resources/write.ts";
import { collectionPath, needOf, segmentsOf } from "./kind-paths.ts";

/** PUT of one resource: creates it, or replaces it whole. */
export function putRoutes(context: Context, kind: Kind): readonly Route[] {
  return segmentsOf(kind).map(({ path, alias }) => ({
    method: "PUT",
    path: `${collectionPath(kind, path)}/{name}`,
    title: "Could not process a resource",
    type: kind.type,
    needs: needOf(kind, "write"),
    doc: {
      summary: `Create or replace a ${kind.singular}`,
      tag: kind.plural,
      body: resourceSchemaRef(kind),
      answer: "201 when it was created, 200 when it was there; what is odd about it stands in warnings",
      answerSchema: WRITTEN_SCHEMA,
      alias,
    },
    handle: (request) => put(context, kind, request),
  }));
}

async function put({ ports, settings, judge, authorizer }: Context, kind: Kind, request: ApiRequest): Promise<Answer> {
  refuseReadOnly(readOnlyReason(kind, settings, ports.info));
  if (request.body === undefined)
    throw new ApiError(400, `Cannot read the body: it is empty; send the ${kind.type} as JSON`);
  const name = param(request, "name");
  const mesh = kind.scope === "Mesh" ? param(request, "mesh") : undefined;
  if (mesh !== undefined) await requireMesh(ports.store, mesh);
  const written = await putResource(ports.store, judgeFor(judge, authorizer, request.user), {
    raw: request.body,
    expected: { type: kind.type, name, ...(mesh === undefined ? {} : { mesh }) },
    preconditions: preconditionsOf(request),
  });
  return writtenAnswer(written);
}

/** The answer to a write that happened, or that had nothing to change. */
export function writtenAnswer({ outcome, revision, warnings, resource }: Written): Answer {
  return {
    status: outcome === "created" ? 201 : 200,
    headers: {
      "heddle-revision": String(revision),
      "heddle-outcome": outcome,
      ...(outcome === "deleted" ? {} : { etag: etagOf(resource) }),
    },
    json: warnings.length === 0 ? {} : { warnings },
  };
}
