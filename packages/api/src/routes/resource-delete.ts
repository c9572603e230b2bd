import type { Kind } from "@heddle/model/kind.ts";
import type { Context } from "../context.ts";
import { readOnlyReason } from "../guards/read-only.ts";
import type { Route } from "../http/route.ts";
import { WRITTEN_SCHEMA } from "../openapi/references.ts";
import { judgeFor } from "../resources/judge.ts";
import { preconditionsOf } from "../resources/preconditions.ts";
import { deleteResource, refuseReadOnly } from "../resources/write.ts";
import { collectionPath, needOf, segmentsOf } from "./kind-paths.ts";
import { keyIn } from "./resource-get.ts";
import { writtenAnswer } from "./resource-put.ts";

/** DELETE of one resource, with what belongs to it. */
export function deleteRoutes({ ports, settings, judge, authorizer }: Context, kind: Kind): readonly Route[] {
  return segmentsOf(kind).map(({ path, alias }) => ({
    method: "DELETE",
    path: `${collectionPath(kind, path)}/{name}`,
    title: "Could not delete a resource",
    type: kind.type,
    needs: needOf(kind, "write"),
    doc: {
      summary: `Delete a ${kind.singular}`,
      tag: kind.plural,
      answer: "It is gone",
      answerSchema: WRITTEN_SCHEMA,
      alias,
    },
    handle: async (request) => {
      refuseReadOnly(readOnlyReason(kind, settings, ports.info));
      const write = { kind, key: keyIn(kind, request), preconditions: preconditionsOf(request) };
      return writtenAnswer(await deleteResource(ports.store, judgeFor(judge, authorizer, request.user), write));
    },
  }));
}
