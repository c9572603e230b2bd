import type { Kind } from "@heddle/model/kind.ts";
import type { Info, WriteGuard } from "../ports.ts";
import { isMadeGlobally, isMadeInZones } from "../resources/place.ts";
import type { ApiSettings } from "../settings.ts";

/** Why users cannot write resources of this kind at this control plane; undefined when they can. */
export function readOnlyReason(
  kind: Kind,
  { readOnly }: Pick<ApiSettings, "readOnly">,
  info: Pick<Info, "mode" | "federated">,
): string | undefined {
  if (kind.readOnly) return `${kind.plural} are written by the control plane only`;
  if (readOnly) return "apiServer.readOnly is true; write where the resources are kept, or set it to false";
  if (info.mode === "global" && !isMadeGlobally(kind)) {
    return `a ${kind.type} belongs to a zone; write it at the control plane of that zone`;
  }
  if (info.mode === "zone" && info.federated && !isMadeInZones(kind)) {
    return `a ${kind.type} comes from the global control plane; write it there`;
  }
  return undefined;
}

/** Refuses with 405 what is not written here. */
export function readOnlyGuard(settings: Pick<ApiSettings, "readOnly">, info: Info): WriteGuard {
  return ({ kind }) => {
    const reason = readOnlyReason(kind, settings, info);
    return reason === undefined ? {} : { refusal: { status: 405, detail: `Cannot write here: ${reason}` } };
  };
}
