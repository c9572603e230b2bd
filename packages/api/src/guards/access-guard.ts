import type { Authorizer } from "../access/authorizer.ts";
import { targetOf } from "../access/authorizer.ts";
import type { Target } from "../access/is-allowed.ts";
import type { User, Write, WriteGuard } from "../ports.ts";

/**
 * Refuses what no role of the user grants, now that the document is known. A change is one of the old resource and of
 * the new one: otherwise a policy of others could be taken over by pointing it elsewhere.
 */
export function accessGuard(authorizer: Authorizer, user: User): WriteGuard {
  return (write) => {
    if (authorizer.type === "static") return {};
    for (const resource of targetsOf(write)) {
      const detail = authorizer.refusal({ user, action: ACTIONS[write.operation], resource });
      if (detail !== undefined) return { refusal: { status: 403, detail } };
    }
    return {};
  };
}

const ACTIONS = { create: "CREATE", update: "UPDATE", delete: "DELETE" } as const;

function targetsOf(write: Write): readonly Target[] {
  const resources = [
    ...(write.operation === "delete" ? [] : [write.resource]),
    ...(write.previous === undefined ? [] : [write.previous]),
  ];
  const isPolicy = write.kind.policy !== undefined;
  return resources.map((resource) => ({
    ...targetOf(resource),
    content: { what: "spec", spec: resource.spec, isPolicy },
  }));
}
