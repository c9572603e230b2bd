import type { Kind } from "@heddle/model/kind.ts";
import { legacyKindOf } from "@heddle/model/legacy/index.ts";
import type { Context } from "../context.ts";
import { readOnlyReason } from "../guards/read-only.ts";
import { ok, type Route } from "../http/route.ts";

/** All kinds, for clients that learn them here rather than know them. */
export function resourceTypesRoute({ ports, settings }: Context): Route {
  return {
    method: "GET",
    path: "/_resources",
    title: "Could not retrieve resource types",
    needs: "read",
    doc: { summary: "All kinds of resources", tag: "Control plane", answer: "{resources: [{name, path, scope, ...}]}" },
    handle: () =>
      ok({
        resources: ports.kinds.all.map((kind) =>
          typeOf(kind, readOnlyReason(kind, settings, ports.info) !== undefined),
        ),
      }),
  };
}

function typeOf(kind: Kind, readOnly: boolean): object {
  return {
    name: kind.type,
    path: kind.path,
    scope: kind.scope,
    readOnly,
    shortName: kind.shortName ?? "",
    singularDisplayName: kind.singular,
    pluralDisplayName: kind.plural,
    includeInFederation: !kind.readOnly && kind.type !== "Dataplane" && kind.type !== "Zone",
    ...(kind.policy === undefined ? {} : { policy: policyTraits(kind.policy, legacyKindOf(kind.type) === undefined) }),
  };
}

function policyTraits({ to, from, rules }: NonNullable<Kind["policy"]>, isTargetRef: boolean): object {
  return {
    isTargetRef,
    hasToTargetRef: to.length > 0,
    hasFromTargetRef: from.length > 0,
    hasRulesTargetRef: rules,
    // Kuma 2.x: policies whose `from` can be said by `rules` as well.
    isFromAsRules: from.length > 0 && rules,
  };
}
