import type { Kind } from "@heddle/model/kind.ts";
import { LABEL, type Labels } from "@heddle/model/labels.ts";
import { legacyKindOf } from "@heddle/model/legacy/index.ts";
import type { NewResource } from "@heddle/model/resource.ts";
import type { Parsed, Violation } from "@heddle/model/violation.ts";
import type { Info } from "../ports.ts";
import { isMadeInZones } from "./place.ts";

/** The part of Info that labels depend on. */
export type Place = Pick<Info, "mode" | "zone" | "environment">;

/**
 * Adds the labels that belong to the control plane. A user may write them too, as somebody does who applies what they
 * got, but not with another value: then every such label is a violation.
 */
export function withOwnedLabels<R extends NewResource>(kind: Kind, resource: R, place: Place): Parsed<R> {
  const owned = ownedLabels(kind, resource, place);
  const violations = Object.entries(owned).flatMap(([key, value]): Violation[] => {
    const written = resource.labels[key];
    if (written === undefined || written === value) return [];
    return [{ field: `labels[${key}]`, message: `must be "${value}" or unset: the control plane sets this label` }];
  });
  if (violations.length > 0) return { ok: false, violations };
  return { ok: true, value: { ...resource, labels: { ...resource.labels, ...owned } } };
}

/** The labels that say where a resource comes from, computed from nothing but its kind, name, mesh and place. */
export function ownedLabels(kind: Kind, { name, mesh, spec }: NewResource, place: Place): Labels {
  const local = place.mode === "zone" && isMadeInZones(kind);
  return {
    [LABEL.displayName]: name,
    ...(kind.scope === "Mesh" ? { [LABEL.mesh]: mesh } : {}),
    [LABEL.origin]: place.mode,
    ...(local ? { [LABEL.zone]: place.zone, [LABEL.environment]: place.environment } : {}),
    // Roles tell namespaces apart, which exist on Kubernetes only.
    ...(hasRole(kind) && place.environment === "universal" ? { [LABEL.policyRole]: "system" } : {}),
    ...(kind.type === "Dataplane" ? listenerLabels(spec) : {}),
  };
}

function hasRole({ type, policy }: Kind): boolean {
  return policy !== undefined && legacyKindOf(type) === undefined;
}

function listenerLabels(spec: unknown): Labels {
  const { networking } = spec as {
    readonly networking?: { readonly listeners?: readonly { readonly type: string }[] };
  };
  const types = new Set(networking?.listeners?.map((listener) => listener.type.toLowerCase()));
  return Object.fromEntries([...types].map((type) => [`kuma.io/listener-${type}`, "enabled"]));
}
