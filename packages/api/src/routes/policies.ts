import { legacyKindOf } from "@heddle/model/legacy/index.ts";
import type { Context } from "../context.ts";
import { readOnlyReason } from "../guards/read-only.ts";
import { ok, type Route } from "../http/route.ts";

/** The policies alone, as Kuma listed them before `_resources`. */
export function policiesRoute({ ports, settings }: Context): Route {
  return {
    method: "GET",
    path: "/policies",
    title: "Could not retrieve policies",
    needs: "read",
    doc: { summary: "All kinds of policies", tag: "Control plane", answer: "{policies: [{name, path, ...}]}" },
    handle: () =>
      ok({
        policies: ports.kinds.all.flatMap((kind) => {
          if (kind.policy === undefined) return [];
          const legacy = legacyKindOf(kind.type)?.legacy;
          return {
            name: kind.type,
            readOnly: readOnlyReason(kind, settings, ports.info) !== undefined,
            path: kind.path,
            singularDisplayName: kind.singular,
            pluralDisplayName: kind.plural,
            isExperimental: false,
            isTargetRefBased: legacy === undefined,
            isInbound: kind.policy.from.length > 0 || kind.policy.rules || legacy?.side === "server",
            isOutbound: kind.policy.to.length > 0 || legacy?.side === "client",
          };
        }),
      }),
  };
}
